"""The double itself: state, clock, faults and server."""

import contextlib
import fnmatch
import re
import shutil
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from email.utils import formatdate
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from hub import api, githttp, pulls
from hub.keys import key_pair
from hub.state import Account, App, Installation, Pull, Repo, Token, make_bare
from hub.views import Views
from hub.wire import Request, Response, reply

V3 = "/api/v3"
PERMISSIONS = {"contents": "write", "pull_requests": "write", "metadata": "read"}
PROTECTED = (
    "protected branch hook declined",
    "error: GH006: Protected branch update failed.\nerror: Changes must be made through a pull request.",
)
RULES = (
    "push declined due to repository rule violations",
    "error: GH013: Repository rule violations found.\n- Cannot create ref due to creations being restricted.",
)
BEGINNINGS: dict[Any, dict[Path, bytes]] = {}  # files of a repository after its first commit
Fault = Callable[[Request, Callable[[], Response]], Response | None]


def begin(repo: Repo, files: Mapping[str, Any]) -> None:
    """Commit FILES in the empty REPO; git runs once per set of files."""
    branch = repo.default_branch
    key = (branch, *((name, type(content), content) for name, content in files.items()))
    if key not in BEGINNINGS:
        repo.commit(branch, files, message="start", author="Ada")
        paths = {path.relative_to(repo.path): path for path in repo.path.rglob("*")}
        BEGINNINGS[key] = {
            name: path.read_bytes() for name, path in paths.items() if path.is_file()
        }
        return
    for name, content in BEGINNINGS[key].items():
        path = repo.path / name
        path.parent.mkdir(exist_ok=True)
        if not path.exists():
            path.write_bytes(content)


class CutError(Exception):
    """Closes the connection instead of responding."""


class Hub:
    """A GitHub in FOLDER; `skew` is the number of seconds that its clock is ahead."""

    def __init__(self, folder: Path, tls: ssl.SSLContext | None = None) -> None:
        self.folder = folder
        self._scheme = "http" if tls is None else "https"
        self.skew = 0.0
        self.lag = 0  # requests that still reject a new token
        self.accounts: dict[str, Account] = {}
        self.apps: list[App] = []
        self.installations: list[Installation] = []
        self.tokens: dict[str, Token] = {}
        self.minted: list[Token] = []
        self.repos: list[Repo] = []
        self.former: dict[str, Repo] = {}  # names before renames
        self.requests: list[Request] = []
        self.violations: list[str] = []
        self._faults: list[tuple[str, int, Fault]] = []
        self._lock = threading.RLock()
        self._numbers = 1000
        self._at = 0.0
        self._server = _Server(self)
        if tls is not None:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    # addresses

    @property
    def url(self) -> str:
        """URL of pages and git."""
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}"

    @property
    def api_url(self) -> str:
        """URL of the API."""
        return self.url + V3

    @cached_property
    def views(self) -> Views:
        return Views(self.api_url, self.url)

    def env(self, token: str | None = None) -> dict[str, str]:
        """Return the variables that make dursor use this host."""
        named = {"GITHUB_API_URL": self.api_url, "GITHUB_SERVER_URL": self.url}
        return named | ({"DURSOR_GITHUB_TOKEN": token} if token else {})

    def app_env(self, app: App, installation: Installation | None = None) -> dict[str, str]:
        """Return the variables that sign dursor in as APP."""
        named = {
            "DURSOR_GITHUB_APP_ID": str(app.id),
            "DURSOR_GITHUB_APP_PRIVATE_KEY": self.private_key,
        }
        if installation is not None:
            named["DURSOR_GITHUB_APP_INSTALLATION_ID"] = str(installation.id)
        return self.env() | named

    # resources

    @property
    def private_key(self) -> str:
        """The private key of every App."""
        return key_pair()[0]

    def account(self, login: str, kind: str = "User") -> Account:
        """Return the account LOGIN, created if it does not exist."""
        if login not in self.accounts:
            self.accounts[login] = Account(login, self.number(), kind, login.capitalize())
        return self.accounts[login]

    def repo(self, full_name: str, files: Mapping[str, Any] | None = None, **fields: Any) -> Repo:
        """Create a repository with a first commit of FILES; empty if None."""
        owner, _, name = full_name.partition("/")
        number = self.number()
        path = self.folder / f"{number}.git"
        created = Repo(number, self.account(owner), name, path, **fields)
        make_bare(path, created.default_branch)
        self.repos.append(created)
        if files is not None:
            begin(created, files)
        return created

    def fork(self, parent: Repo, owner: str) -> Repo:
        """Fork a repository."""
        number = self.number()
        path = self.folder / f"{number}.git"
        shutil.copytree(parent.path, path)
        created = Repo(
            number, self.account(owner), parent.name, path, parent.default_branch, parent=parent
        )
        self.repos.append(created)
        return created

    def rename(self, repo: Repo, full_name: str) -> None:
        """Rename or transfer a repository; its old name redirects."""
        self.former[repo.full_name.lower()] = repo
        owner, _, repo.name = full_name.partition("/")
        repo.owner = self.account(owner)

    def app(self, slug: str = "helper", **permissions: str) -> App:
        """Create a GitHub App with the key `private_key`."""
        number = self.number()
        granted = permissions or dict(PERMISSIONS)
        created = App(number, f"Iv23li{number:014d}", slug, key_pair()[1], granted)
        self.apps.append(created)
        return created

    def install(self, app: App, login: str, chosen: Iterable[Repo] | None = None) -> Installation:
        """Install APP in the account LOGIN, for all repositories or the CHOSEN ones."""
        ids = None if chosen is None else {entry.id for entry in chosen}
        number, account = self.number(), self.account(login)
        created = Installation(number, app, account, ids, dict(app.permissions))
        self.installations.append(created)
        return created

    def token(self, login: str, *scopes: str, **fields: Any) -> str:
        """Create a personal access token."""
        text = f"ghp_{self.number()}{login}{'x' * 30}"[:40]
        granted = set(scopes) or {"repo"}
        self.tokens[text] = Token(text, self.account(login), scopes=granted, **fields)
        return text

    def find(self, full_name: str) -> Repo | None:
        """Return a repository by its current or former name."""
        name = full_name.lower()
        repo = next((entry for entry in self.repos if entry.full_name.lower() == name), None)
        return repo or self.former.get(name)

    # actions of users

    def open_pull(
        self, repo: Repo, head: Repo, branch: str, base: str, title: str, body: str | None,
        author: Account | None, tip: str, start: str,
    ) -> Pull:  # fmt: skip
        """Open a pull request without checks."""
        repo.counter += 1
        time = self.tick()
        pull = Pull(
            repo, repo.counter, self.number(), head, head.owner.login, branch, base, title, body,
            author or repo.owner, False, time, time, tip, start,
        )  # fmt: skip
        repo.pulls[pull.number] = pull
        return pull

    def comment(self, pull: Pull, login: str, body: str) -> dict[str, Any]:
        """Add a comment by LOGIN."""
        return pulls.comment(self, pull, self.account(login), body)

    def line(
        self, pull: Pull, login: str, body: str, path: str, line: int | None
    ) -> dict[str, Any]:
        """Add a comment on a line by LOGIN."""
        return pulls.line(self, pull, self.account(login), body, path, line)

    def review(self, pull: Pull, login: str, body: str, state: str = "COMMENTED") -> dict[str, Any]:
        """Add a review by LOGIN."""
        return pulls.review(self, pull, self.account(login), body, state)

    def merge(self, pull: Pull, how: str = "merge") -> str:
        """Merge a pull request ("merge" or "squash") and return the commit."""
        pull.follow()
        repo = pull.repo
        shared = {} if pull.head is None else {
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(pull.head.path / "objects")
        }  # fmt: skip
        tree = repo.git("merge-tree", "--write-tree", pull.base_commit, pull.last, env=shared)
        parents = ["-p", pull.base_commit]
        if how == "merge":
            parents += ["-p", pull.last]
        title = f"{pull.title} (#{pull.number})"
        created = repo.git("commit-tree", tree, *parents, "-m", title, env=shared)
        repo.git("update-ref", f"refs/heads/{pull.base}", created)
        pull.state, pull.merge_commit = "closed", created
        pull.merged_at = pull.updated = self.tick()
        return created

    def close(self, pull: Pull) -> None:
        """Close a pull request without merging it."""
        pull.follow()
        pull.state, pull.updated = "closed", self.tick()

    def follow(self) -> None:
        """Update open pull requests after a push."""
        for repo in self.repos:
            for pull in repo.pulls.values():
                pull.follow()

    # time and faults

    def now(self) -> float:
        """Return the time of its clock."""
        return time.time() + self.skew

    def tick(self) -> float:
        """Return a time later than every previous one, in whole seconds."""
        self._at = max(self._at + 1, float(int(self.now())))
        return self._at

    def number(self) -> int:
        """Return a unique number."""
        self._numbers += 1
        return self._numbers

    def intercept(self, pattern: str, fault: Fault, times: int = 1) -> None:
        """Let FAULT respond to the next TIMES requests that match, such as "POST */pulls".

        It receives the request and a function that returns the normal response. Returning None closes
        the connection.
        """
        self._faults.append((pattern, times, fault))

    def answer_once(self, pattern: str, status: int, message: str, **headers: str) -> None:
        """Respond to the next matching request with an error."""
        answer = reply(status, {"message": message, "documentation_url": ""}, **headers)
        self.intercept(pattern, lambda request, proceed: answer)

    def count(self, pattern: str) -> int:
        """Return the number of matching requests."""
        return sum(fnmatch.fnmatch(f"{r.method} {r.path}", pattern) for r in self.requests)

    # responses

    def answer(self, request: Request) -> Response:
        """Respond to one request."""
        if "," in request.headers.get("authorization", ""):
            return reply(400, {"message": 'Duplicate header: "Authorization"'})
        with self._lock:
            self.requests.append(request)
            fault = self._take_fault(f"{request.method} {request.path}")
        if fault is not None:
            response = fault(request, lambda: self._proper(request))
            if response is None:
                raise CutError
            return response
        return self._proper(request)

    def _take_fault(self, line: str) -> Fault | None:
        for index, (pattern, times, fault) in enumerate(self._faults):
            if fnmatch.fnmatch(line, pattern):
                self._faults[index : index + 1] = [(pattern, times - 1, fault)] * (times > 1)
                return fault
        return None

    def _proper(self, request: Request) -> Response:
        if not request.path.startswith(f"{V3}/"):
            return githttp.serve(self, request)
        with self._lock:
            response = api.answer(self, request)
        if response.has("x-ratelimit-limit"):
            return response
        reset = str(int(self.now()) + 3600)
        limits = {"limit": "5000", "remaining": "4990", "used": "10", "reset": reset}
        more = [(f"X-RateLimit-{name}", value) for name, value in limits.items()]
        return Response(response.status, response.body, [*response.headers, *more])

    def api_path(self, path: str) -> str:
        """Return the path below the API, with /repositories/ID replaced by the name."""
        rest = path.removeprefix(V3)
        match = re.match(r"/repositories/(\d+)", rest)
        if match is None:
            return rest
        repo = next((entry for entry in self.repos if str(entry.id) == match[1]), None)
        return f"/repos/{repo.full_name if repo else '-/-'}{rest[match.end() :]}"

    def page_url(self, request: Request, number: int) -> str:
        """Return the URL of another page, with the repository's id as on GitHub."""
        path = self.api_path(request.raw_path)
        if match := re.match(r"/repos/([^/]+/[^/]+)", path):
            repo = self.find(match[1])
            assert repo is not None
            path = f"/repositories/{repo.id}{path[match.end() :]}"
        query = {**request.query, "page": str(number)}
        return f"{self.api_url}{path}?" + "&".join(f"{k}={v}" for k, v in query.items())

    def split_path(self, path: str) -> tuple[Repo | None, str, str] | None:
        """Split a path of git: the repository, the rest, the requested name."""
        match = re.fullmatch(r"/([^/]+/[^/]+?)(?:\.git)?(/(?:info/refs|git-[a-z-]+|HEAD))", path)
        return None if match is None else (self.find(match[1]), match[2], match[1])


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True

    def __init__(self, hub: Hub) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hub = hub


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20
    server: _Server

    def _serve(self) -> None:
        names = {name.lower() for name in self.headers}
        headers = {name: ", ".join(self.headers.get_all(name, ())) for name in names}
        request = Request(self.command, self.path, headers, self._body())
        try:
            response = self.server.hub.answer(request)
        except CutError:
            self.close_connection = True
            return
        self.close_connection = True
        self.send_response(response.status)
        for name, value in response.headers:
            self.send_header(name, value)
        if response.status != 204:
            self.send_header("Content-Length", str(len(response.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(response.body)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _serve  # noqa: N815 - names of the base class

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", "0")))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def date_time_string(self, timestamp: float | None = None) -> str:
        return formatdate(self.server.hub.now(), usegmt=True)

    def log_message(self, *args: Any) -> None:
        pass
