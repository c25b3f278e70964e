"""The tools on trees in memory: results, refusals, limits."""

import asyncio
import contextlib
import time
from typing import Any

import psutil
import pytest
from memory_tree import MemoryTree

from dursor.agent.exploration.files import RepositoryFiles, ToolCallError
from dursor.agent.exploration.search import FileSearch
from dursor.agent.exploration.tools import MAX_RESULT, TOOLS, Toolbox
from dursor.errors import UsageError
from dursor.pathrules import PathRules
from dursor.secrets.placeholders import Placeholders
from dursor.tree import FILE, SUBMODULE, SYMLINK, FileState

AWS = "AKIAQ4ZTRN7WVK2LMX3P"
SECRETS = f'region = "eu"\naccess = "{AWS}"\nlast = True\n'
EVIL = r"(a+)+$"


def tree(files: dict[str, str | bytes], **modes: str) -> MemoryTree:
    return MemoryTree(
        {
            path: FileState(
                modes.get(path.replace(".", "_"), FILE),
                data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data,
            )
            for path, data in files.items()
        }
    )


def masked(text: str, path: str) -> str:
    return Placeholders().replace(text, path)[0]


def files_of(files: dict[str, str | bytes], **modes: str) -> RepositoryFiles:
    return RepositoryFiles(tree(files, **modes), PathRules(), masked)


@pytest.fixture
def box() -> Toolbox:
    """Return the tools on a tree with all kinds of files."""
    return Toolbox(
        files_of(
            {
                "README.md": "one\ntwo\nthree",
                "src/a.py": "def add(a, b):\n    return a - b\n",
                "src/deep/b.py": "import a\r\n\r\nADD = 'Add('\r\n",
                "empty": "",
                ".env": "TOKEN=1\n",
                "config/credentials.json": "{}",
                "logo.png": b"\x89PNG",
                "blob": b"a\0b",
                "latin.txt": b"caf\xe9\n",
                "link": "src/a.py",
                "sub": "",
                "lfs": "version https://git-lfs.github.com/spec/v1\n",
                "settings.py": SECRETS,
                "caf\udce9.txt": "odd\n",
                "huge.txt": "x" * (1 << 20) + "y",
            },
            link=SYMLINK,
            sub=SUBMODULE,
        )
    )


async def use(box: Toolbox, name: str, /, limit: int = MAX_RESULT, **arguments: Any) -> str:
    return await box.call(name, arguments, limit)


async def test_only_sendable_files_are_listed(box):
    whole = await use(box, "list_files")
    assert whole.startswith("9 files:\n")
    for name in ("README.md", "src/: a.py", "src/deep/: b.py", "settings.py", "empty"):
        assert name in whole
    for name in (".env", "credentials", "logo.png", "link", "sub", "huge"):
        assert name not in whole
    assert await use(box, "list_files", path="src/deep/") == "1 file in src/deep:\nsrc/deep/: b.py"
    for top in ("", ".", "./", "/", None):
        assert await use(box, "list_files", path=top) == whole


async def test_a_file_is_read_completely_or_in_part(box):
    whole = await use(box, "read_file", path="README.md")
    assert whole == "README.md, lines 1-3 of 3:\none\ntwo\nthree\n[no newline at the end]"
    part = await use(box, "read_file", path="./README.md", first_line=2, last_line=2.0)
    assert part == "README.md, lines 2-2 of 3:\ntwo\n"
    beyond = await use(box, "read_file", path="src/a.py", first_line=0, last_line=999)
    assert beyond == "src/a.py, lines 1-2 of 2:\ndef add(a, b):\n    return a - b\n"
    assert (await use(box, "read_file", path="empty")).startswith("empty, lines 1-0 of 0:\n")


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (".env", "it matches '.env'"),
        ("no/where/.env", "it matches '.env'"),
        ("config/credentials.json", "it matches 'credentials.*'"),
        (".git/config", "belongs to git"),
        ("../outside", "leaves the repository"),
        ("src/../../outside", "leaves the repository"),
        ("/etc/passwd", "absolute"),
        ("C:\\x", "absolute"),
        ("", "empty"),
        ("logo.png", "binary"),
        ("blob", "binary"),
        ("latin.txt", "not UTF-8"),
        ("link", "a symlink"),
        ("sub", "a submodule"),
        ("lfs", "Git LFS"),
        ("huge.txt", "over the limit"),
        ("src", "use list_files"),
        ("deep/b.py", "did you mean src/deep/b.py"),
        ("nothing", "file nothing does not exist"),
    ],
)
async def test_other_files_cannot_be_read(box, path, why):
    with pytest.raises(ToolCallError, match=why.replace("*", r"\*").replace(".", r"\.")):
        await use(box, "read_file", path=path)


@pytest.mark.parametrize(
    "path", ["../..", "/etc", ".git", "config/.env", "nothing", "link", "sub/x"]
)
@pytest.mark.parametrize("name", ["list_files", "search"])
async def test_other_folders_cannot_be_listed_or_searched(box, name, path):
    arguments = {"path": path} | ({"text": "x"} if name == "search" else {})
    with pytest.raises(ToolCallError):
        await box.call(name, arguments, MAX_RESULT)


@pytest.mark.parametrize(
    ("name", "arguments", "why"),
    [
        ("read_file", None, "not a valid JSON object"),
        ("read_file", {}, "path must be a string"),
        ("read_file", {"path": 3}, "path must be a string"),
        ("read_file", {"path": "\ud800"}, "does not exist"),
        ("read_file", {"path": "README.md", "first_line": "x"}, "must be an integer"),
        ("read_file", {"path": "README.md", "first_line": True}, "must be an integer"),
        ("read_file", {"path": "README.md", "last_line": 1.5}, "must be an integer"),
        ("read_file", {"path": "README.md", "first_line": 4}, "has lines 1-3"),
        ("read_file", {"path": "README.md", "first_line": 3, "last_line": 2}, "has lines 1-3"),
        ("search", {"text": ""}, "one line of 1 to 1000"),
        ("search", {"text": "a\nb"}, "one line of 1 to 1000"),
        ("search", {"text": "x" * 1001}, "one line of 1 to 1000"),
        ("search", {"text": "x", "regex": "yes"}, "true or false"),
        ("search", {"text": "(", "regex": True}, "invalid regular expression"),
        ("search", {"text": "(?<=a+)b", "regex": True}, "invalid regular expression"),
        ("write_file", {}, "the tools are list_files, read_file, search"),
    ],
)
async def test_invalid_calls_are_refused(box, name, arguments, why):
    with pytest.raises(ToolCallError, match=why):
        await box.call(name, arguments, MAX_RESULT)


async def test_search_finds_lines_by_text(box):
    assert await use(box, "search", text="return a") == "src/a.py\n2:     return a - b"
    both = await use(box, "search", text="add(", ignore_case=True)
    assert both == "src/a.py\n1: def add(a, b):\nsrc/deep/b.py\n3: ADD = 'Add('"
    assert await use(box, "search", text="add(", path="src/deep") == "no line matches"
    assert await use(box, "search", text="TOKEN") == "no line matches"


async def test_search_finds_lines_by_regular_expression(box):
    assert await use(box, "search", text=r"^def \w+\(", regex=True) == "src/a.py\n1: def add(a, b):"
    assert await use(box, "search", text=r"'$", regex=True) == "src/deep/b.py\n3: ADD = 'Add('"
    folded = await use(box, "search", text=r"^add\b", regex=True, ignore_case=True, path="src")
    assert folded == "src/deep/b.py\n3: ADD = 'Add('"


async def test_secrets_are_not_shown_and_match_nothing(box):
    shown = await use(box, "read_file", path="settings.py")
    assert AWS not in shown
    assert "DURSOR_SECRET_" in shown
    line = await use(box, "search", text='access = "')
    assert AWS not in line
    assert "DURSOR_SECRET_" in line
    assert await use(box, "search", text=AWS[:8]) == "no line matches"
    for guess in (rf"{AWS[:8]}.*", r"access = .A", ".*"):
        found = await use(box, "search", text=guess, regex=True, path="settings.py")
        assert "access" not in found


async def test_results_are_limited_with_a_note():
    lines = "".join(f"line {n} of many\n" for n in range(1, 5001))
    box = Toolbox(files_of({"a.txt": lines, "wide.txt": f"{'x' * 30_000}\nend\n"}))
    read = await use(box, "read_file", path="a.txt")
    assert len(read) <= MAX_RESULT
    assert "[truncated: continue with lines " in read
    on = int(read.rpartition("with lines ")[2].partition("-")[0])
    rest = await use(box, "read_file", path="a.txt", first_line=on, last_line=on)
    assert rest.endswith(f"line {on} of many\n")
    assert len(await use(box, "read_file", path="a.txt", limit=1000)) <= 1000
    assert "[line 1 is too long to show]" in await use(box, "read_file", path="wide.txt")
    found = await use(box, "search", text="of many")
    assert found.count("of many") == 100
    assert "[more lines match" in found
    assert len(await use(box, "search", text="of many", limit=1000)) <= 1000
    cut = await use(box, "search", text="xxx")
    assert cut == f"wide.txt\n1: {'x' * 300}... [truncated]"
    listing = await use(
        Toolbox(files_of({f"folder{n}/file{n}.py": "" for n in range(3000)})), "list_files"
    )
    assert len(listing) <= MAX_RESULT
    assert listing.startswith("3000 files:\n")


async def test_no_regular_expression_blocks_the_process():
    search = FileSearch(files_of({"a.txt": "first a\n", "b.txt": f"{'a' * 60}!\n"}), seconds=0.4)
    box = Toolbox(files_of({}))
    box._search = search
    began = time.monotonic()
    beat = asyncio.create_task(asyncio.sleep(0.2, "alive"))
    found = await use(box, "search", text=EVIL, regex=True)
    assert time.monotonic() - began < 3
    assert beat.done()
    assert found == "a.txt\n1: first a\n[stopped after 0.4 s: the pattern is too slow]"


def matchers() -> list[psutil.Process]:
    """Return the regex workers of this process."""
    children = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if any(word.endswith("regex_worker.py") for word in child.cmdline()):
                children.append(child)
    return children


async def test_a_canceled_search_leaves_no_process_behind():
    box = Toolbox(files_of({"b.txt": f"{'a' * 60}!\n"}))
    task = asyncio.create_task(use(box, "search", text=EVIL, regex=True))
    while not (started := matchers()):  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not [one for one in started if one.is_running()]


async def test_the_number_of_matches_is_limited():
    box = Toolbox(files_of({f"{n}.txt": "x\n" * 2000 for n in range(10)}))
    found = await use(box, "search", text="x", regex=True)
    assert found.count(": x") == 100
    assert "[more lines match" in found


async def test_missing_blobs_are_skipped():
    class Lacking(MemoryTree):
        def read(self, path: str) -> bytes:
            if path == "gone.txt":
                raise UsageError(f"the repository lacks {path}")
            return super().read(path)

    files = tree({"gone.txt": "x\n", "there.txt": "x\n"}).files
    box = Toolbox(RepositoryFiles(Lacking(files), PathRules(), masked))
    assert await use(box, "search", text="x") == "there.txt\n1: x"
    with pytest.raises(ToolCallError, match="cannot be read"):
        await use(box, "read_file", path="gone.txt")


def test_tool_schemas_are_objects_with_their_required_properties():
    for tool in TOOLS:
        assert tool.schema["type"] == "object"
        assert set(tool.schema["required"]) <= set(tool.schema["properties"])
