"""A misspelled path in an instruction."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from dursor.context.ranking.path_features import PathNames
from dursor.context.ranking.query import InstructionQuery
from dursor.context.sendable import get_suffix

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

MAX_PATHS = 5  # a log can name hundreds of files of other programs
CUTOFF = 0.88
_DIGITS = str.maketrans("", "", "0123456789")


def find_typo(instruction: str, paths: Collection[str]) -> tuple[str, str] | None:
    """Find a path in INSTRUCTION that is not one of PATHS, and the similar one that is."""
    query = InstructionQuery(instruction)
    suffixes = {get_suffix(path) for path in paths} - {""}
    wanted = [
        path
        for path in dict.fromkeys(mention.path for mention in query.mentions)
        # A bare name, in a log or an example, can be of any file.
        if ("/" in path or path in query.title) and get_suffix(path) in suffixes
    ]
    if not wanted:
        return None
    names = PathNames(list(paths))
    unknown = [path for path in wanted if not names.match(path)[0]][:MAX_PATHS]
    return next(((path, near) for path in unknown for near in _find_similar(path, names)), None)


def _find_similar(path: str, names: PathNames) -> Iterator[str]:
    """Yield the path of NAMES with nearly the name of PATH; another digit is not a typo."""
    from difflib import get_close_matches  # noqa: PLC0415 - few instructions need it

    folder, _, name = path.lower().rpartition("/")
    letters = Counter(name)
    known = {path.rpartition("/")[2].lower() for path in names.paths}
    similar = [
        other
        for other in known
        if abs(len(other) - len(name)) <= 2
        and ((letters - (others := Counter(other))) + (others - letters)).total() <= 4
    ]
    for near in get_close_matches(name, sorted(similar), n=1, cutoff=CUTOFF):
        if near.translate(_DIGITS) != name.translate(_DIGITS):
            numbers, same = names.match(f"{folder}/{near}" if folder else near)
            if same > folder.count("/") + bool(folder):
                yield names.paths[numbers[0]]
