"""Create commits in a mirror, fetch and push them with a token."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from dursor.errors import ConflictError, InternalError, NoChangeError, UsageError
from dursor.ids import new_id
from dursor.secrets.redact import Redactor
from dursor.vcs.command import decode, encode, is_branch_name
from dursor.vcs.remote.credential import build_authenticated_env, check_private
from dursor.vcs.remote.errors import explain_login, explain_push
from dursor.vcs.remote.mirror import KEPT_REFS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dursor.domain import Secret
    from dursor.tree import Changes
    from dursor.vcs.command import GitOutput
    from dursor.vcs.remote.mirror import Mirror

FETCH_SECONDS = 1800.0
PUSH_SECONDS = 300.0  # git waits forever for a reply that was cut short
UNSAFE = re.compile(r"[\x00-\x1f\x7f<>]+")
FETCH = (
    *("fetch", "--quiet", "--no-tags", "--no-prune", "--no-write-fetch-head", "--refmap="),
    *("--no-recurse-submodules", "--no-auto-maintenance"),
)
PUSH = (
    *("-c", "push.negotiate=true", "-c", "push.pushOption="),
    *("push", "--porcelain", "--no-verify", "--no-signed", "--no-follow-tags"),
    "--recurse-submodules=no",
)


@dataclass(frozen=True)
class Identity:
    """The author of a commit."""

    name: str
    email: str

    def format(self) -> str:
        """Return NAME <EMAIL>."""
        name = UNSAFE.sub(" ", self.name).strip(" .,:;\"'") or "dursor"
        return f"{name} <{UNSAFE.sub('', self.email).strip()}>"


def commit_change(
    mirror: Mirror,
    base_commit: str,
    changes: Changes,
    *,
    parents: Sequence[str],
    message: str,
    author: Identity,
    date: str,
) -> str:
    """Commit BASE_COMMIT's tree with CHANGES on top of PARENTS and return the new id.

    No filter, hook, attribute or setting has an effect and DATE is ISO-8601, so that equal
    arguments make the same commit. NoChangeError if the commit would change nothing.
    """
    tree = mirror.tree_id(base_commit)
    parent_tree = mirror.commit(parents[0]).tree
    header = _build_header(message, author, date)
    stream = _build_stream(tree, changes, parents, header)
    output = mirror.command.run(
        *("fast-import", "--quiet", "--date-format=raw", "--done"), stdin=b"".join(stream)
    )
    commit = decode(output.out).strip()
    if not re.fullmatch(r"[0-9a-f]{40}", commit):
        raise InternalError("git fast-import did not print the new commit")
    if mirror.tree_id(commit) == parent_tree:
        raise NoChangeError(f"nothing to commit: {parents[0][:12]} already contains this change")
    mirror.keep(commit)
    return commit


def _build_header(message: str, author: Identity, date: str) -> bytes:
    person = f"{author.format()} {int(datetime.fromisoformat(date).timestamp())} +0000"
    return encode(f"author {person}\ncommitter {person}\n") + _format_data(encode(message))


def _build_stream(
    tree: str, changes: Changes, parents: Sequence[str], header: bytes
) -> Iterator[bytes]:
    """Describe the commit in fast-import's format."""
    ref = encode(f"refs/dursor/made/{new_id()}")  # deleted again
    yield b"commit %b\nmark :1\n" % ref + header
    yield encode(f"from {parents[0]}\n")
    yield from (encode(f"merge {parent}\n") for parent in parents[1:])
    yield encode(f'M 040000 {tree} ""\n')
    yield from (b"D %b\n" % _quote_path(path) for path, state in changes.items() if state is None)
    for path, state in changes.items():
        if state is not None:
            yield b"M %b inline %b\n" % (state.mode.encode("ascii"), _quote_path(path))
            yield _format_data(state.data)
    yield b"get-mark :1\nreset %b\nfrom %b\n\ndone\n" % (ref, b"0" * 40)


def _format_data(content: bytes) -> bytes:
    return b"data %d\n%b\n" % (len(content), content)


def _quote_path(path: str) -> bytes:
    raw = encode(path).replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"%b"' % raw


def find_remote_branch(mirror: Mirror, url: str, branch: str, secret: Secret) -> str | None:
    """Return the commit of BRANCH at URL; None if it does not exist."""
    ref = _build_ref(mirror, branch)
    output = _run(mirror, url, secret, "ls-remote", "--quiet", "--", url, ref)
    _check(output, url, secret)
    for line in decode(output.out).splitlines():
        commit, _, name = line.partition("\t")
        if name == ref and re.fullmatch(r"[0-9a-f]{40}", commit):
            return commit
    return None


def fetch(mirror: Mirror, url: str, branch: str, secret: Secret) -> str | None:
    """Fetch BRANCH from URL and return its commit; None if it does not exist."""
    commit = find_remote_branch(mirror, url, branch, secret)
    if commit is None:
        return None
    if not mirror.has(commit):
        refspec = f"{commit}:{KEPT_REFS}{commit}"
        _check(_run(mirror, url, secret, *FETCH, "--", url, refspec), url, secret)
    mirror.keep(commit)
    return commit


def push(
    mirror: Mirror, url: str, commit: str, branch: str, *, expect: str | None, secret: Secret
) -> None:
    """Push COMMIT as BRANCH to URL, where BRANCH must be at EXPECT (None: must not exist).

    A branch that is at COMMIT already is fine. ConflictError if it is at another commit, AuthError
    if the login lacks permission, PolicyError if the repository's rules forbid the push.
    """
    ref = _build_ref(mirror, branch)
    if expect is not None and not (mirror.has(expect) and mirror.is_ancestor(expect, commit)):
        raise ConflictError(
            f"pushing would lose commits: {commit[:12]} is not based on {expect[:12]}",
            hint="dursor pr sync PR",
        )
    lease = f"--force-with-lease={ref}:{expect or ''}"
    words = (*PUSH, lease, "--", url, f"{commit}:{ref}")
    output = _run(mirror, url, secret, *words, seconds=PUSH_SECONDS)
    if output.status != 0:
        clean = Redactor([secret]).clean
        raise explain_push(clean(decode(output.out)), clean(output.err), url, branch)


def _build_ref(mirror: Mirror, branch: str) -> str:
    """Return the reference of BRANCH; UsageError if the name is not valid."""
    if not is_branch_name(mirror.command, branch):
        raise UsageError(f"{branch!a} is not a valid branch name", hint="--branch my-branch")
    return f"refs/heads/{branch}"


def _run(
    mirror: Mirror, url: str, secret: Secret, *args: str, seconds: float = FETCH_SECONDS
) -> GitOutput:
    check_private(mirror.repository.git_dir)
    env = build_authenticated_env(url, secret)
    return mirror.command.run_remote(url, *args, env=env, seconds=seconds)


def _check(output: GitOutput, url: str, secret: Secret) -> None:
    if output.status != 0:
        raise explain_login(Redactor([secret]).clean(output.err), url)
