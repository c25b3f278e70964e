"""Real git repositories for tests, made in milliseconds and independent of the machine's git configuration."""

import hashlib
import os
import stat
import subprocess
import zlib
from pathlib import Path

import first_commit

IDENTITY = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
}
HERMETIC = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
DATES = {
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05+0000",
    "GIT_COMMITTER_DATE": "2026-01-02T03:04:05+0000",
}
CONFIG = (
    "[core]\n\trepositoryformatversion = {}\n\tfilemode = true\n\tbare = false\n"
    "[maintenance]\n\tauto = false\n[gc]\n\tauto = 0\n{}"  # no second process after a commit
)
SHA256 = "[extensions]\n\tobjectFormat = sha256\n"


class Link(str):
    """The target of a symbolic link, in place of a file's content."""

    __slots__ = ()


class Script(str):
    """The content of an executable file."""

    __slots__ = ()


MODES = {Link: "120000", Script: "100755"}


def environment(home=None):
    """Return an environment for git that depends only on PATH."""
    kept = {k: os.environ[k] for k in ("PATH", "SYSTEMROOT", "TMPDIR") if k in os.environ}
    return kept | {"HOME": str(home or os.devnull)} | HERMETIC | IDENTITY | DATES


def isolate(monkeypatch, home):
    """Make this process's environment hermetic, for tests of code that runs git itself."""
    for name in [n for n in os.environ if n.startswith(("GIT_", "DURSOR_"))]:
        monkeypatch.delenv(name)
    home.mkdir(exist_ok=True)
    for name, value in ({"HOME": str(home)} | HERMETIC | IDENTITY | DATES).items():
        monkeypatch.setenv(name, value)


def git(top, *args, stdin=b"", env=None, ok=(0,)):
    """Run git in TOP and return its output as text, without the last newline."""
    done = subprocess.run(
        ["git", "-C", os.fspath(top), *args],
        input=stdin,
        capture_output=True,
        check=False,
        env=environment() | (env or {}),
    )
    assert done.returncode in ok, done.stderr.decode(errors="replace")
    return done.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")


def init(top, *, branch="main", sha256=False):
    """Make an empty repository without starting a process."""
    top = Path(top)
    for part in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "info", "hooks"):
        (top / ".git" / part).mkdir(parents=True)
    (top / ".git/HEAD").write_text(f"ref: refs/heads/{branch}\n")
    (top / ".git/config").write_text(CONFIG.format(1 if sha256 else 0, SHA256 if sha256 else ""))
    return top


def write(top, files):
    """Write FILES (path to str, bytes, Link, Script, or None to delete) below TOP."""
    for name, content in files.items():
        path = Path(top) / name
        if path.is_symlink() or path.exists():
            path.unlink()
        if content is None:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Link):
            path.symlink_to(content)
            continue
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        if isinstance(content, Script):
            path.chmod(0o755)


def record(top, files, message="change"):
    """Write FILES and commit everything in TOP."""
    write(top, files)
    git(top, "add", "--all")
    git(top, "commit", "--quiet", "--allow-empty", "--no-verify", "-m", message)


def commit(top, files=None, *, message="change"):
    """Write FILES, commit everything in TOP and return the commit's id."""
    record(top, files or {}, message)
    return head(top)


def head(top):
    """Return the id of the commit at HEAD of TOP."""
    folder = Path(top) / ".git"
    ref = (folder / "HEAD").read_text().strip() if folder.is_dir() else ""
    file = folder / ref.removeprefix("ref: ") if ref.startswith("ref: ") else None
    return file.read_text().strip() if file and file.is_file() else git(top, "rev-parse", "HEAD")


def build(top, files=None, *, branch="main", sha256=False):
    """Make a repository at TOP with FILES in one commit; return TOP.

    No process is started unless some file configures git.
    """
    files = files if files is not None else {"README.md": "line 1\nline 2\nline 3\n"}
    plain = first_commit.is_plain(files) and not Path(top).exists()
    init(top, branch=branch, sha256=sha256)
    if not plain:
        record(top, files)
        return Path(top)
    write(top, files)
    modes = {name: MODES.get(type(content), "100644") for name, content in files.items()}
    first_commit.commit(Path(top), modes, branch, "sha256" if sha256 else "sha1")
    return Path(top)


def diff(top, before, after="", *, options=(), env=None):
    """Return the patch from BEFORE to AFTER (or to the working tree), as bytes."""
    ends = filter(None, [before, after])
    text = git(top, "diff", "--full-index", "--no-ext-diff", *options, *ends, env=env)
    return (text + "\n").encode("utf-8", "surrogateescape") if text else b""


def fingerprint(top):
    """Return the mode and content of every file, folder and link below TOP, `.git` included."""
    entries = {}
    for path in Path(top).rglob("*"):
        status = path.lstat()
        content = b""
        if stat.S_ISLNK(status.st_mode):
            content = os.fsencode(path.readlink())
        elif stat.S_ISREG(status.st_mode):
            content = hashlib.sha256(path.read_bytes()).digest()
        entries[path.relative_to(top).as_posix()] = (status.st_mode, content)
    return entries


def blob_id(data):
    """Return the blob id of DATA."""
    return hashlib.sha1(b"blob %d\0%s" % (len(data), data), usedforsecurity=False).hexdigest()


def algorithm(top):
    """Return the hash algorithm of the repository TOP."""
    return "sha256" if "objectFormat = sha256" in (top / ".git/config").read_text() else "sha1"


def store(top, data):
    """Store DATA as a blob in TOP like `git hash-object -w`; return its id."""
    blob = b"blob %d\0%s" % (len(data), data)
    oid = hashlib.new(algorithm(top), blob, usedforsecurity=False).hexdigest()
    path = top / ".git/objects" / oid[:2] / oid[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(zlib.compress(blob))
    return oid


def replace_line(text, line, new):
    """Return TEXT with its LINE (from 1) replaced by NEW."""
    lines = text.splitlines(keepends=True)
    lines[line - 1] = new
    return "".join(lines)


def patch(top, files):
    """Return the patch that applies FILES to HEAD; index and working tree do not change."""
    index = Path(top).parent / "index-of-a-patch"
    env = {"GIT_INDEX_FILE": str(index)}
    git(top, "read-tree", "HEAD", env=env)
    null_id, lines = "0" * (64 if algorithm(Path(top)) == "sha256" else 40), []
    for name, content in files.items():
        if content is None:
            lines.append(f"0 {null_id}\t{name}\0")
            continue
        mode = MODES.get(type(content), "100644")
        data = content if isinstance(content, bytes) else content.encode()
        lines.append(f"{mode} {store(Path(top), data)}\t{name}\0")
    removals_first = "".join(sorted(lines, key=lambda line: not line.startswith("0 ")))
    git(top, "update-index", "-z", "--index-info", stdin=removals_first.encode(), env=env)
    text = diff(top, "--cached", "HEAD", options=("-M",), env=env)
    index.unlink()
    return text
