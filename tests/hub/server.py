"""The double itself: state, clock, faults, and the server they are behind."""

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
BEGINNINGS: dict[Any, dict[Path, bytes]] = {}  # what a first commit leaves in a repository
Fault = Callable[[Request, Callable[[], Response]], Response | None]


def begin(repo: Repo, files: Mapping[str, Any]) -> None:
    """Commit FILES in REPO, which is empty; git is asked once for each sort of files."""
    branch = repo.default_branch
    key = (branch, *((name, type(content), content) for name, content in files.items()))
    if key not in BEGINNINGS:
        repo.commit(branch, files, message="start", author="Ada")
        kept = {path.relative_to(repo.path): path for path in repo.path.rglob("*")}
        BEGINNINGS[key] = {name: path.read_bytes() for name, path in kept.items() if path.is_file()}
        return
    for name, content in BEGINNINGS[key].items():
        path = repo.path / name
        path.parent.mkdir(exist_ok=True)
        if not path.exists():
            path.write_bytes(content)


class CutError(Exception):
    """The connection is cut instead of an answer."""


class Hub:
    """A GitHub below FOLDER. `skew` is how many seconds its clock is ahead of this machine's."""

    def __init__(self, folder: Path, tls: ssl.SSLContext | None = None) -> None:
        self.folder = folder
        self._scheme = "http" if tls is None else "https"
        self.skew = 0.0
        self.lag = 0  # requests for which a new token is not known yet
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
        """Where pages and git are."""
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}"

    @property
    def api_url(self) -> str:
        """Where the API is."""
        return self.url + V3

    @cached_property
    def views(self) -> Views:
        return Views(self.api_url, self.url)

    def env(self, token: str | None = None) -> dict[str, str]:
        """The variables that point dursor here."""
        named = {"GITHUB_API_URL": self.api_url, "GITHUB_SERVER_URL": self.url}
        return named | ({"DURSOR_GITHUB_TOKEN": token} if token else {})

    def app_env(self, app: App, installation: Installation | None = None) -> dict[str, str]:
        """The variables that make dursor APP."""
        named = {
            "DURSOR_GITHUB_APP_ID": str(app.id),
            "DURSOR_GITHUB_APP_PRIVATE_KEY": self.private_key,
        }
        if installation is not None:
            named["DURSOR_GITHUB_APP_INSTALLATION_ID"] = str(installation.id)
        return self.env() | named

    # what there is

    @property
    def private_key(self) -> str:
        """The private key of every App."""
        return key_pair()[0]

    def account(self, login: str, kind: str = "User") -> Account:
        """The account LOGIN, made if it is not there yet."""
        if login not in self.accounts:
            self.accounts[login] = Account(login, self.number(), kind, login.capitalize())
        return self.accounts[login]

    def repo(self, full_name: str, files: Mapping[str, Any] | None = None, **fields: Any) -> Repo:
        """Make a repository; FILES are its first commit (None: it stays empty)."""
        owner, _, name = full_name.partition("/")
        number = self.number()
        path = self.folder / f"{number}.git"
        made = Repo(number, self.account(owner), name, path, **fields)
        make_bare(path, made.default_branch)
        self.repos.append(made)
        if files is not None:
            begin(made, files)
        return made

    def fork(self, parent: Repo, owner: str) -> Repo:
        """Fork a repository."""
        number = self.number()
        path = self.folder / f"{number}.git"
        shutil.copytree(parent.path, path)
        made = Repo(
            number, self.account(owner), parent.name, path, parent.default_branch, parent=parent
        )
        self.repos.append(made)
        return made

    def rename(self, repo: Repo, full_name: str) -> None:
        """Rename or transfer a repository; its old name leads to it."""
        self.former[repo.full_name.lower()] = repo
        owner, _, repo.name = full_name.partition("/")
        repo.owner = self.account(owner)

    def app(self, slug: str = "helper", **permissions: str) -> App:
        """Make a GitHub App; its private key is `private_key`."""
        number = self.number()
        granted = permissions or dict(PERMISSIONS)
        made = App(number, f"Iv23li{number:014d}", slug, key_pair()[1], granted)
        self.apps.append(made)
        return made

    def install(self, app: App, login: str, chosen: Iterable[Repo] | None = None) -> Installation:
        """Install APP in the account LOGIN, for all repositories or the CHOSEN ones."""
        ids = None if chosen is None else {one.id for one in chosen}
        number, account = self.number(), self.account(login)
        made = Installation(number, app, account, ids, dict(app.permissions))
        self.installations.append(made)
        return made

    def token(self, login: str, *scopes: str, **fields: Any) -> str:
        """Make a personal access token."""
        text = f"ghp_{self.number()}{login}{'x' * 30}"[:40]
        given = set(scopes) or {"repo"}
        self.tokens[text] = Token(text, self.account(login), scopes=given, **fields)
        return text

    def find(self, full_name: str) -> Repo | None:
        """Find a repository by its name now or before."""
        wanted = full_name.lower()
        found = next((one for one in self.repos if one.full_name.lower() == wanted), None)
        return found or self.former.get(wanted)

    # what people do there

    def open_pull(
        self, repo: Repo, head: Repo, branch: str, base: str, title: str, body: str | None,
        author: Account | None, tip: str, start: str,
    ) -> Pull:  # fmt: skip
        """Open a pull request; nothing is checked."""
        repo.counter += 1
        at = self.tick()
        pull = Pull(
            repo, repo.counter, self.number(), head, head.owner.login, branch, base, title, body,
            author or repo.owner, False, at, at, tip, start,
        )  # fmt: skip
        repo.pulls[pull.number] = pull
        return pull

    def comment(self, pull: Pull, login: str, body: str) -> dict[str, Any]:
        """Have LOGIN say something."""
        return pulls.comment(self, pull, self.account(login), body)

    def line(
        self, pull: Pull, login: str, body: str, path: str, line: int | None
    ) -> dict[str, Any]:
        """Have LOGIN say something about a line."""
        return pulls.line(self, pull, self.account(login), body, path, line)

    def review(self, pull: Pull, login: str, body: str, state: str = "COMMENTED") -> dict[str, Any]:
        """Have LOGIN review."""
        return pulls.review(self, pull, self.account(login), body, state)

    def merge(self, pull: Pull, how: str = "merge") -> str:
        """Merge a pull request: "merge" or "squash"; the commit that made."""
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
        made = repo.git("commit-tree", tree, *parents, "-m", title, env=shared)
        repo.git("update-ref", f"refs/heads/{pull.base}", made)
        pull.state, pull.merge_commit = "closed", made
        pull.merged_at = pull.updated = self.tick()
        return made

    def close(self, pull: Pull) -> None:
        """Close a pull request without merging it."""
        pull.follow()
        pull.state, pull.updated = "closed", self.tick()

    def follow(self) -> None:
        """Have open pull requests take over what was pushed."""
        for repo in self.repos:
            for pull in repo.pulls.values():
                pull.follow()

    # time and faults

    def now(self) -> float:
        """The time by its own clock."""
        return time.time() + self.skew

    def tick(self) -> float:
        """A time later than any given before, in whole seconds."""
        self._at = max(self._at + 1, float(int(self.now())))
        return self._at

    def number(self) -> int:
        """A number that nothing else has."""
        self._numbers += 1
        return self._numbers

    def on(self, pattern: str, fault: Fault, times: int = 1) -> None:
        """Have FAULT answer the next TIMES requests that match, such as "POST */pulls".

        It is given the request and what would answer it; None means: cut the connection.
        """
        self._faults.append((pattern, times, fault))

    def answer_once(self, pattern: str, status: int, message: str, **headers: str) -> None:
        """Answer the next request that matches with an error."""
        answer = reply(status, {"message": message, "documentation_url": ""}, **headers)
        self.on(pattern, lambda request, proceed: answer)

    def count(self, pattern: str) -> int:
        """How many requests came that match."""
        return sum(fnmatch.fnmatch(f"{r.method} {r.path}", pattern) for r in self.requests)

    # answering

    def answer(self, request: Request) -> Response:
        """Answer one request."""
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
        """The path below the API; /repositories/ID is the repository under its name."""
        rest = path.removeprefix(V3)
        match = re.match(r"/repositories/(\d+)", rest)
        if match is None:
            return rest
        repo = next((one for one in self.repos if str(one.id) == match[1]), None)
        return f"/repos/{repo.full_name if repo else '-/-'}{rest[match.end() :]}"

    def page_url(self, request: Request, number: int) -> str:
        """The address of another page, by the repository's number as GitHub gives it."""
        path = self.api_path(request.raw_path)
        if match := re.match(r"/repos/([^/]+/[^/]+)", path):
            repo = self.find(match[1])
            assert repo is not None
            path = f"/repositories/{repo.id}{path[match.end() :]}"
        query = {**request.query, "page": str(number)}
        return f"{self.api_url}{path}?" + "&".join(f"{k}={v}" for k, v in query.items())

    def place_of(self, path: str) -> tuple[Repo | None, str, str] | None:
        """Take apart a path of git's: the repository, what is asked of it, the name asked for."""
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

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _serve  # noqa: N815 - so it is called

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
