"""Select the context of a round, within a token budget."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dursor.context.ranking.candidates import list_candidates
from dursor.context.ranking.query import InstructionQuery
from dursor.context.ranking.rank import rank
from dursor.context.ranking.reasons import ReasonFinder
from dursor.context.ranking.retrieve import collect_features
from dursor.context.selection.guidance import GUIDANCE_NAMES, select_guidance
from dursor.context.selection.pack import pack
from dursor.context.selection.pins import check_pins, check_pins_fit
from dursor.context.selection.repo_map import render_map
from dursor.context.selection.selection import SelectedFile, Selection, WithheldFile
from dursor.context.sendable import REASON_NOT_FETCHED, split_sendable
from dursor.context.source import TextSource
from dursor.context.text.measure import FILE_TOKENS, estimate_tokens
from dursor.secrets.placeholders import Placeholders

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from dursor.context.index.commit_cache import CommitLog
    from dursor.context.sendable import Refusal
    from dursor.pathrules import PathRules
    from dursor.secrets.placeholders import PlaceholderKey
    from dursor.tree import Tree


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
    """Select files and excerpts of TREE that are relevant to INSTRUCTION, within BUDGET tokens.

    A tree that fits is sent whole. CACHE_DIR keeps the repository's index; HISTORY has the commits
    before the tree; KEY derives the names of placeholders. Raises UsageError for a pinned path that
    does not exist, cannot be sent or does not fit, and PolicyError for a forbidden one.
    """
    entries = tree.entries()
    sendable, refused = split_sendable(entries, rules)
    source = TextSource(tree, Placeholders(key))
    pins = check_pins(pinned, entries, refused, rules)
    files = list(_select_whole(pins, source, budget, "pinned"))
    check_pins_fit(pins, files, source, budget)
    guidance = select_guidance(sendable, source)
    rest = {path: sendable[path] for path in list_unsent(sendable, files, guidance)}
    room = budget - sum(file.tokens for file in files)
    sizes = (estimate_tokens(entry.size) + FILE_TOKENS for entry in sendable.values())
    fits = sum(sizes) <= budget
    if fits:
        files += _select_whole(rest, source, room, "the repository fits whole")
    else:
        query = InstructionQuery(instruction)
        candidates = list_candidates(rest, query, room)
        features = collect_features(tree, candidates, query, folder=cache_dir, history=history)
        ranked = rank(features, source.peek_many, room)
        files += pack(ranked, source, room, ReasonFinder(features).explain)
    return Selection(
        budget=budget,
        files=tuple(files),
        withheld=list_withheld(refused | source.refused, source.secrets, instruction, fits=fits),
        repo_map=render_map(list_unsent(sendable, files, guidance)),
        guidance=guidance,
        placeholders=source.placeholders.mapping,
        key=key,
    )


def list_unsent(
    sendable: Iterable[str], files: Iterable[SelectedFile], guidance: SelectedFile | None
) -> list[str]:
    """List the paths of SENDABLE that are not among FILES and not the GUIDANCE."""
    sent = {file.path for file in files}
    if guidance and guidance.ranges is None:
        sent.add(guidance.path)
    return [path for path in sendable if path not in sent]


def _select_whole(
    paths: Iterable[str], source: TextSource, room: int, reason: str
) -> Iterator[SelectedFile]:
    """Yield those of PATHS that can be sent and still fit in ROOM tokens."""
    for path in paths:
        text = source.read(path)
        if text is None:
            continue
        file = SelectedFile(path, None, source.count_tokens(path), reason, text)
        if file.tokens <= room:
            room -= file.tokens
            yield file


def list_withheld(
    refused: Mapping[str, Refusal], secrets: Mapping[str, int], instruction: str, *, fits: bool
) -> tuple[WithheldFile, ...]:
    """List files with placeholders, then refused paths: the relevant ones, or all if it FITS."""
    lowered = instruction.lower()

    def is_named(path: str) -> bool:
        return path.rpartition("/")[2].lower() in lowered

    masked = [
        WithheldFile(
            path,
            "1 secret replaced by a placeholder"
            if count == 1
            else f"{count} secrets replaced by placeholders",
        )
        for path, count in secrets.items()
    ]
    relevant = [
        WithheldFile(path, refusal.reason)
        for path, refusal in refused.items()
        if (fits and refusal.reason != REASON_NOT_FETCHED)
        or refusal.forbidden
        or path in GUIDANCE_NAMES
        or is_named(path)
    ]
    relevant.sort(key=lambda file: (not is_named(file.path), file.reason == "binary"))
    return (*masked, *relevant)
