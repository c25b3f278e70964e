"""Git over HTTP: GitHub's access rules in front of git's own http-backend."""

import fnmatch
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import repos

from hub.access import Caller, basic, find_token, has, role
from hub.state import Repo
from hub.wire import RefusalError, Request, Response

NOT_VALID = (
    "Invalid username or token. Password authentication is not supported for Git operations."
)
CHALLENGE = ("WWW-Authenticate", 'Basic realm="GitHub"')


def plain(status: int, text: str, *headers: tuple[str, str]) -> Response:
    """Return a line that git prints after "remote:"."""
    return Response(status, f"{text}\n".encode(), [("Content-Type", "text/plain"), *headers])


def serve(state: Any, request: Request) -> Response:
    """Answer one request of git."""
    location = state.split_path(request.path)
    if location is None:
        return plain(404, "Not Found")
    repo, rest, name = location
    writing = "git-receive-pack" in request.target
    if repo is not None and name != repo.full_name:
        moved = f"{state.url}/{repo.full_name}.git{rest}"
        query = request.target.partition("?")[2]
        return Response(301, b"", [("Location", f"{moved}?{query}" if query else moved)])
    refusal, caller = _admit(state, request, repo, writing=writing)
    if refusal is not None or repo is None:
        return refusal or plain(404, "Repository not found.")
    response = _backend(state, request, repo, rest, caller)
    if writing:
        state.follow()
    return response


def _admit(
    state: Any, request: Request, repo: Repo | None, *, writing: bool
) -> tuple[Response | None, Caller]:
    """Decide on access; the refusal is a 401, 403 or 404."""
    password = basic(request)
    if password is None:
        if writing or repo is None or repo.private:
            return plain(401, "No anonymous access.", CHALLENGE), Caller()
        return None, Caller()
    try:
        caller = Caller(token=find_token(state, password))
    except RefusalError:
        return plain(401, NOT_VALID, CHALLENGE), Caller()
    if repo is None or role(caller, repo) is None or not has(caller, repo, "contents", "read"):
        return plain(404, "Repository not found."), caller
    if writing and repo.archived:
        return plain(403, "This repository was archived so it is read-only."), caller
    if writing and not has(caller, repo, "contents", "write"):
        who = caller.account.login if caller.account else "anonymous"
        return plain(403, f"Permission to {repo.full_name}.git denied to {who}."), caller
    return None, caller


def _backend(state: Any, request: Request, repo: Repo, rest: str, caller: Caller) -> Response:
    reason = repo.path.parent / f"reason-{os.urandom(4).hex()}"
    env = {
        **repos.environment(),
        "GIT_PROJECT_ROOT": str(repo.path.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{repo.path.name}{rest}",
        "QUERY_STRING": request.target.partition("?")[2],
        "REQUEST_METHOD": request.method,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(request.body)),
        "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
        "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
        "REMOTE_USER": caller.account.login if caller.account else "",
        "HUB_REASON": str(reason),
        "HUB_NO_WORKFLOWS": _without_workflows(caller, repo),
        **_find_refused(request, repo),
    }
    done = subprocess.run(
        ["git", "http-backend"], input=request.body, capture_output=True, env=env, check=False
    )
    response = _cgi(done.stdout)
    if reason.exists():
        response = Response(
            response.status, _with_reason(response.body, reason.read_bytes()), response.headers
        )
        reason.unlink()
    return response


def _without_workflows(caller: Caller, repo: Repo) -> str:
    """Return the kind of CALLER if it may not change workflows."""
    if caller.token is None:
        return ""
    if caller.token.permissions is not None:
        may = has(caller, repo, "workflows", "write")
        kind = "GitHub App" if caller.installation else "Personal Access Token"
        return "" if may else kind
    return "" if "workflow" in caller.token.scopes else "Personal Access Token"


def _find_refused(request: Request, repo: Repo) -> dict[str, str]:
    """Return the variables that make the update hook refuse references."""
    if not repo.refused or request.headers.get("content-encoding"):
        return {}
    refs = [command.split(b"\0")[0].split(b" ")[2].decode() for command in _commands(request.body)]
    for pattern, (because, message) in repo.refused.items():
        if hit := [ref for ref in refs if fnmatch.fnmatch(ref, pattern)]:
            return {"HUB_REFUSED": " ".join(hit), "HUB_BECAUSE": because, "HUB_SAID": message}
    return {}


def _commands(body: bytes) -> list[bytes]:
    """Return the commands of a push, each OLD NEW REF."""
    return [line for line in _lines(body) if line.count(b" ") >= 2 and b"refs/" in line]


def _lines(body: bytes) -> Iterator[bytes]:
    offset = 0
    while offset + 4 <= len(body):
        try:
            size = int(body[offset : offset + 4], 16)
        except ValueError:
            return
        if size < 4:
            return
        yield body[offset + 4 : offset + size]
        offset += size


def _cgi(output: bytes) -> Response:
    head, _, body = output.partition(b"\r\n\r\n")
    pairs = [line.decode("latin-1").partition(": ") for line in head.split(b"\r\n") if line]
    headers = [(name, value) for name, _, value in pairs]
    status = next((value for name, value in headers if name == "Status"), "200")
    return Response(int(status[:3]), body, [pair for pair in headers if pair[0] != "Status"])


def _with_reason(body: bytes, reason: bytes) -> bytes:
    """Replace git's `hook declined` in a report with GitHub's reason."""
    out = b""
    for sent in _packets(body):
        packet = sent
        if packet[:1] == b"\x01" and b"hook declined" in packet:
            inner = [line.replace(b"hook declined", reason) for line in _packets(packet[1:])]
            packet = b"\x01" + b"".join(map(_packet, inner))
        out += _packet(packet)
    return out


def _packets(body: bytes) -> Iterator[bytes]:
    """Split BODY into packets; an empty one is a flush."""
    offset = 0
    while offset < len(body):
        size = int(body[offset : offset + 4], 16)
        yield body[offset + 4 : offset + size] if size else b""
        offset += size or 4


def _packet(content: bytes) -> bytes:
    return b"%04x%b" % (len(content) + 4, content) if content else b"0000"
