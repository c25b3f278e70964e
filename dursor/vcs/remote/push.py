"""Commits made byte for byte and pushed with a token, all in a mirror."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from dursor.domain import new_id
from dursor.errors import ConflictError, InternalError, NoChangeError, UsageError
from dursor.secrets.redact import Redactor
from dursor.vcs.branchnames import is_branch_name
from dursor.vcs.command import decode, encode
from dursor.vcs.remote.credential import build_authenticated_env, check_private
from dursor.vcs.remote.errors import explain_login, explain_push
from dursor.vcs.remote.mirror import KEPT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dursor.domain import Secret
    from dursor.tree import Changes
    from dursor.vcs.command import GitOutput
    from dursor.vcs.remote.mirror import Mirror

FETCH_SECONDS = 1800.0
PUSH_SECONDS = 300.0  # for one commit; git waits without end for an answer that was cut short
CRUD = re.compile(r"[\x00-\x1f\x7f<>]+")
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
    """Who a commit is by."""

    name: str
    email: str

    def line(self) -> str:
        """Write it as git does."""
        name = CRUD.sub(" ", self.name).strip(" .,:;\"'") or "dursor"
        return f"{name} <{CRUD.sub('', self.email).strip()}>"


def commit_change(
    mirror: Mirror,
    base_commit: str,
    changes: Changes,
    *,
    parents: Sequence[str],
    message: str,
    author: Identity,
    at: str,
) -> str:
    """Commit the tree of BASE_COMMIT with CHANGES laid over it, on PARENTS; the new commit's id.

    Every byte is as given: no filter, hook, attribute or setting has a say. AT (ISO-8601) dates
    it, so that equal arguments make the same commit. NoChangeError when it would change nothing.
    """
    tree = mirror.tree_id(base_commit)
    first = mirror.commit(parents[0]).tree
    stream = _stream(tree, changes, parents, _head(message, author, at))
    output = mirror.command.run(
        *("fast-import", "--quiet", "--date-format=raw", "--done"), stdin=b"".join(stream)
    )
    made = decode(output.out).strip()
    if not re.fullmatch(r"[0-9a-f]{40}", made):
        raise InternalError("git fast-import did not name the commit it made")
    if mirror.tree_id(made) == first:
        raise NoChangeError(f"{parents[0][:12]} holds this change already: nothing to commit")
    mirror.keep(made)
    return made


def _head(message: str, author: Identity, at: str) -> bytes:
    who = f"{author.line()} {int(datetime.fromisoformat(at).timestamp())} +0000"
    return encode(f"author {who}\ncommitter {who}\n") + _data(encode(message))


def _stream(tree: str, changes: Changes, parents: Sequence[str], head: bytes) -> Iterator[bytes]:
    """Write the commit in fast-import's language."""
    ref = encode(f"refs/dursor/made/{new_id()}")  # for as long as this takes
    yield b"commit %b\nmark :1\n" % ref + head
    yield encode(f"from {parents[0]}\n")
    yield from (encode(f"merge {parent}\n") for parent in parents[1:])
    yield encode(f'M 040000 {tree} ""\n')
    yield from (b"D %b\n" % _path(path) for path, state in changes.items() if state is None)
    for path, state in changes.items():
        if state is not None:
            yield b"M %b inline %b\n" % (state.mode.encode("ascii"), _path(path))
            yield _data(state.data)
    yield b"get-mark :1\nreset %b\nfrom %b\n\ndone\n" % (ref, b"0" * 40)


def _data(content: bytes) -> bytes:
    return b"data %d\n%b\n" % (len(content), content)


def _path(path: str) -> bytes:
    raw = encode(path).replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"%b"' % raw


def find_remote_branch(mirror: Mirror, url: str, branch: str, secret: Secret) -> str | None:
    """Ask URL where BRANCH stands; None when there is no such branch."""
    ref = _ref(mirror, branch)
    output = _authenticated(mirror, url, secret, "ls-remote", "--quiet", "--", url, ref)
    _check(output, url, secret)
    for line in decode(output.out).splitlines():
        commit, _, name = line.partition("\t")
        if name == ref and re.fullmatch(r"[0-9a-f]{40}", commit):
            return commit
    return None


def fetch(mirror: Mirror, url: str, branch: str, secret: Secret) -> str | None:
    """Bring the commits of BRANCH at URL here; None when there is no such branch."""
    commit = find_remote_branch(mirror, url, branch, secret)
    if commit is None:
        return None
    if not mirror.has(commit):
        refspec = f"{commit}:{KEPT}{commit}"
        _check(_authenticated(mirror, url, secret, *FETCH, "--", url, refspec), url, secret)
    mirror.keep(commit)
    return commit


def push(
    mirror: Mirror,
    url: str,
    commit: str,
    branch: str,
    *,
    expect: str | None,
    secret: Secret,
) -> None:
    """Push COMMIT as BRANCH to URL, where BRANCH must stand at EXPECT (None: must not be there).

    A branch that stands at COMMIT already is fine. ConflictError when the branch is elsewhere,
    AuthError when the login may not, PolicyError when the repository's rules forbid it,
    NotFoundError, NetworkError, DeadlineError, ProviderError.
    """
    ref = _ref(mirror, branch)
    if expect is not None and not (mirror.has(expect) and mirror.is_ancestor(expect, commit)):
        raise ConflictError(
            f"{commit[:12]} does not go on from {expect[:12]}: pushing it would lose commits",
            hint="dursor pr sync",
        )
    lease = f"--force-with-lease={ref}:{expect or ''}"
    words = (*PUSH, lease, "--", url, f"{commit}:{ref}")
    output = _authenticated(mirror, url, secret, *words, seconds=PUSH_SECONDS)
    if output.status != 0:
        clean = Redactor([secret]).clean
        raise explain_push(clean(decode(output.out)), clean(output.err), url, branch)


def _ref(mirror: Mirror, branch: str) -> str:
    """Name the reference of BRANCH; UsageError when git would not take it."""
    if not is_branch_name(mirror.command, branch):
        raise UsageError(f"not a branch name: {branch!a}", hint="--branch my-branch")
    return f"refs/heads/{branch}"


def _authenticated(
    mirror: Mirror, url: str, secret: Secret, *args: str, seconds: float = FETCH_SECONDS
) -> GitOutput:
    """Run git with SECRET for URL."""
    check_private(mirror.repository.git_dir)
    env = build_authenticated_env(url, secret)
    return mirror.command.run_remote(url, *args, env=env, seconds=seconds)


def _check(output: GitOutput, url: str, secret: Secret) -> None:
    if output.status != 0:
        raise explain_login(Redactor([secret]).clean(output.err), url)
