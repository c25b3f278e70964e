"""The steps of a run, in order. A new step is a module with one function, and one line here."""

from __future__ import annotations

from dursor.agent.finish import build_result, check_change
from dursor.agent.resolve_reply import resolve_reply

STEPS = (resolve_reply, check_change, build_result)
