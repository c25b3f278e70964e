"""Choose what a model is shown of a repository, under a token budget."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from dursor.context.ranking.candidates import list_candidates
from dursor.context.ranking.query import InstructionQuery
from dursor.context.ranking.rank import rank
from dursor.context.ranking.reasons import ReasonFinder
from dursor.context.ranking.retrieve import collect_features
from dursor.context.selection.guidance import select_guidance
from dursor.context.selection.pack import pack
from dursor.context.selection.pins import check_pins, check_pins_fit
from dursor.context.selection.repo_map import render_map
from dursor.context.selection.selection import SelectedFile, Selection, WithheldFile
from dursor.context.selection.withheld import list_withheld
from dursor.context.sendable import split_sendable
from dursor.context.source import TextSource
from dursor.context.text.measure import FILE_TOKENS, estimate_tokens
from dursor.secrets.placeholders import Placeholders

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from dursor.context.index.commit_cache import CommitLog
    from dursor.context.ranking.file_features import FileFeatures
    from dursor.pathrules import PathRules
    from dursor.secrets.placeholders import PlaceholderKey
    from dursor.tree import Entry, Tree

__all__ = ["SelectedFile", "Selection", "WithheldFile", "select_context"]


def select_context(
    tree: Tree,
    instruction: str,
    *,
    budget: int,
    pinned: Sequence[str] = (),
    rules: PathRules,
    cache_dir: Path | None = None,
    history: CommitLog | None = None,
    key: PlaceholderKey | None = None,
) -> Selection:
    """Choose the files and excerpts of TREE that INSTRUCTION calls for, within BUDGET tokens.

    A tree that fits whole is taken whole. The index of a repository is kept in CACHE_DIR, a folder
    of its own; HISTORY is what the tree grew from. KEY names the placeholders of secrets. Raises
    UsageError for a pinned path that is not in the tree, cannot be sent or does not fit,
    PolicyError for one that is forbidden.
    """
    entries = tree.entries()
    sendable, refused = split_sendable(entries, rules)
    source = TextSource(tree, Placeholders(key))
    picks = _pinned(check_pins(pinned, entries, refused, rules), source, budget)
    guide = select_guidance(sendable, source)
    pins = {pick.path for pick in picks}
    rest = {p: e for p, e in sendable.items() if p not in pins and not _is_whole(guide, p)}
    room = budget - sum(pick.tokens for pick in picks)
    everything = _size(sendable) <= budget
    if everything:
        picks += _whole(rest, source, room, "the repository fits whole")
    else:
        find = partial(collect_features, tree, folder=cache_dir, history=history)
        picks += _called_for(InstructionQuery.of(instruction), rest, find, source, room)
    repo_map = map_other_files(sendable, picks, guide)
    held = list_withheld(
        refused | source.refused, source.secrets, instruction, everything=everything
    )
    return Selection(
        budget=budget,
        files=tuple(picks),
        withheld=held,
        repo_map=repo_map,
        guide=guide,
        placeholders=source.placeholders.mapping,
        key=key,
    )


def _pinned(pins: Sequence[str], source: TextSource, budget: int) -> list[SelectedFile]:
    """Select PINS whole, all of them; UsageError where BUDGET tokens do not hold them."""
    picks = list(_whole(pins, source, budget, "pinned"))
    check_pins_fit(pins, picks, source, budget)
    return picks


def _called_for(
    query: InstructionQuery,
    entries: Mapping[str, Entry],
    find: Callable[[Mapping[str, Entry], InstructionQuery], FileFeatures],
    source: TextSource,
    room: int,
) -> list[SelectedFile]:
    """Select what QUERY calls for of ENTRIES, whole files or excerpts, within ROOM tokens."""
    evidence = find(list_candidates(entries, query, room), query)
    ranked = rank(evidence, source.peek_many, room)
    return pack(ranked, source, room, ReasonFinder(evidence).of)


def map_other_files(
    sendable: Collection[str], picks: Iterable[SelectedFile], guide: SelectedFile | None
) -> str:
    """Give the map of the files of SENDABLE that neither PICKS nor GUIDE show."""
    shown = {pick.path for pick in picks}
    return render_map([p for p in sendable if p not in shown and not _is_whole(guide, p)])


def _is_whole(guide: SelectedFile | None, path: str) -> bool:
    return guide is not None and guide.path == path and guide.ranges is None


def _size(entries: Mapping[str, Entry]) -> int:
    return sum(estimate_tokens(entry.size) + FILE_TOKENS for entry in entries.values())


def _whole(
    paths: Iterable[str], source: TextSource, room: int, reason: str
) -> Iterator[SelectedFile]:
    """Yield the files of PATHS that can be sent and still fit in ROOM tokens."""
    for path in paths:
        text = source.text(path)
        if text is None:
            continue
        pick = SelectedFile(path, None, source.tokens(path), reason, text)
        if pick.tokens <= room:
            room -= pick.tokens
            yield pick
