"""Choose what a model is shown of a repository, under a token budget."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from dursor.context.ranking.candidates import pool_of
from dursor.context.ranking.query import Query
from dursor.context.ranking.rank import rank
from dursor.context.ranking.reasons import Reasons
from dursor.context.ranking.retrieve import look
from dursor.context.secrets.placeholders import Placeholders
from dursor.context.selection.guidance import guide_of
from dursor.context.selection.model import Pick, Selection, Withheld
from dursor.context.selection.pack import pack
from dursor.context.selection.pins import check_pins, check_pins_fit
from dursor.context.selection.repo_map import outline
from dursor.context.selection.withheld import withheld
from dursor.context.sendable import sort_out
from dursor.context.source import Source
from dursor.context.text.measure import FILE_TOKENS, tokens_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from dursor.context.index.chronicle import History
    from dursor.context.ranking.file_features import Evidence
    from dursor.context.secrets.placeholders import Key
    from dursor.pathrules import PathRules
    from dursor.tree import Entry, Tree

__all__ = ["Pick", "Selection", "Withheld", "choose"]


def choose(
    tree: Tree,
    instruction: str,
    *,
    budget: int,
    pinned: Sequence[str] = (),
    rules: PathRules,
    cache_dir: Path | None = None,
    history: History | None = None,
    key: Key | None = None,
) -> Selection:
    """Choose the files and excerpts of TREE that INSTRUCTION calls for, within BUDGET tokens.

    A tree that fits whole is taken whole. The index of a repository is kept in CACHE_DIR, a folder
    of its own; HISTORY is what the tree grew from. KEY names the placeholders of secrets. Raises
    UsageError for a pinned path that is not in the tree, cannot be sent or does not fit,
    PolicyError for one that is forbidden.
    """
    entries = tree.entries()
    sendable, refused = sort_out(entries, rules)
    source = Source(tree, Placeholders(key))
    picks = _pinned(check_pins(pinned, entries, refused, rules), source, budget)
    guide = guide_of(sendable, source)
    pins = {pick.path for pick in picks}
    rest = {p: e for p, e in sendable.items() if p not in pins and not _is_whole(guide, p)}
    room = budget - sum(pick.tokens for pick in picks)
    everything = _size(sendable) <= budget
    if everything:
        picks += _whole(rest, source, room, "the repository fits whole")
    else:
        find = partial(look, tree, folder=cache_dir, history=history)
        picks += _called_for(Query.of(instruction), rest, find, source, room)
    repo_map = map_of(sendable, picks, guide)
    held = withheld(refused | source.refused, source.secrets, instruction, everything=everything)
    return Selection(
        budget=budget,
        files=tuple(picks),
        withheld=held,
        repo_map=repo_map,
        guide=guide,
        placeholders=source.placeholders.mapping,
        key=key,
    )


def _pinned(pins: Sequence[str], source: Source, budget: int) -> list[Pick]:
    """Pick PINS whole, all of them; UsageError where BUDGET tokens do not hold them."""
    picks = list(_whole(pins, source, budget, "pinned"))
    check_pins_fit(pins, picks, source, budget)
    return picks


def _called_for(
    query: Query,
    entries: Mapping[str, Entry],
    find: Callable[[Mapping[str, Entry], Query], Evidence],
    source: Source,
    room: int,
) -> list[Pick]:
    """Pick what QUERY calls for of ENTRIES, whole files or excerpts, within ROOM tokens."""
    evidence = find(pool_of(entries, query, room), query)
    ranked = rank(evidence, source.peek_many, room)
    return pack(ranked, source, room, Reasons(evidence).of)


def map_of(sendable: Collection[str], picks: Iterable[Pick], guide: Pick | None) -> str:
    """Give the map of the files of SENDABLE that neither PICKS nor GUIDE show."""
    shown = {pick.path for pick in picks}
    return outline([p for p in sendable if p not in shown and not _is_whole(guide, p)])


def _is_whole(guide: Pick | None, path: str) -> bool:
    return guide is not None and guide.path == path and guide.ranges is None


def _size(entries: Mapping[str, Entry]) -> int:
    return sum(tokens_of(entry.size) + FILE_TOKENS for entry in entries.values())


def _whole(paths: Iterable[str], source: Source, room: int, reason: str) -> Iterator[Pick]:
    """Yield the files of PATHS that can be sent and still fit in ROOM tokens."""
    for path in paths:
        text = source.text(path)
        if text is None:
            continue
        pick = Pick(path, None, source.tokens(path), reason, text)
        if pick.tokens <= room:
            room -= pick.tokens
            yield pick
