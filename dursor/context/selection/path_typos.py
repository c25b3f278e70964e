"""A path that an instruction misspells."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from dursor.context.ranking.path_features import PathNames
from dursor.context.ranking.query import InstructionQuery
from dursor.context.sendable import get_suffix

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

MOST = 5  # names that are looked up: a log may hold hundreds of other people's
CLOSE = 0.88
_DIGITS = str.maketrans("", "", "0123456789")


def find_typo(instruction: str, paths: Collection[str]) -> tuple[str, str] | None:
    """Find a path in INSTRUCTION that none of PATHS is, and the one of them that it is nearly."""
    query = InstructionQuery.of(instruction)
    named = dict.fromkeys(place.path for place in query.places)
    # A name alone, in a log or an example, may be of any file in the world.
    places = [path for path in named if "/" in path or path in query.title]
    if not places:
        return None
    endings = {get_suffix(path) for path in paths}
    wanted = [path for path in places if get_suffix(path) in endings - {""}]
    names = PathNames(list(paths))
    strange = [path for path in wanted if not names.named(path)[0]][:MOST]
    return next(((path, near) for path in strange for near in _near(path, names)), None)


def _near(path: str, names: PathNames) -> Iterator[str]:
    """Yield the path of NAMES whose name is nearly that of PATH; one more digit is no slip."""
    from difflib import get_close_matches  # noqa: PLC0415 - few instructions need it

    folder, _, name = path.lower().rpartition("/")
    letters = Counter(name)
    known = {one.rpartition("/")[2].lower() for one in names.paths}
    alike = [one for one in known if abs(len(one) - len(name)) <= 2 and _differ(letters, one) <= 4]
    for near in get_close_matches(name, sorted(alike), n=1, cutoff=CLOSE):
        if near.translate(_DIGITS) != name.translate(_DIGITS):
            found, same = names.named(f"{folder}/{near}" if folder else near)
            if same > folder.count("/") + bool(folder):
                yield names.paths[found[0]]


def _differ(letters: Counter[str], other: str) -> int:
    others = Counter(other)
    return ((letters - others) + (others - letters)).total()
