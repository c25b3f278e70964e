"""The REST API of the double: one function per operation."""

from collections.abc import Callable
from typing import Any

from hub import pulls
from hub.access import Caller, app_of, demand, has, identify, role
from hub.schema import OPERATIONS, check, check_headers, route
from hub.state import Account, App, Installation, Repo, Token, long_token, stamp
from hub.wire import RefusalError, Request, Response, invalid, missing, reply

Handler = Callable[[Any, Request, Caller, dict[str, str]], Response]
LEVELS = ("read", "write", "admin")


def answer(hub: Any, request: Request) -> Response:
    """Answer one request of the API."""
    try:
        hub.violations += check_headers(request)
        match = route(request.method, hub.api_path(request.path))
        if match is None:
            raise missing()
        operation, parts = match
        parts = _resolve(hub, request, operation, parts)
        if isinstance(parts, Response):
            return parts
        caller = identify(hub, request)
        hub.violations += check(operation, request)
        response = HANDLERS[operation](hub, request, caller, parts)
        assert response.status in OPERATIONS[operation]["statuses"], (operation, response.status)
    except RefusalError as refusal:
        return refusal.response
    return response


def _resolve(hub: Any, request: Request, operation: str, parts: dict[str, str]) -> Any:
    """Redirect to the new name of a renamed repository."""
    if "repo" not in parts:
        return parts
    old = f"{parts['owner']}/{parts['repo']}"
    repo = hub.find(old)
    if repo is None or repo.full_name.lower() == old.lower():
        return parts
    rest = hub.api_path(request.raw_path).split("/", 4)[4:]
    place = f"{hub.api_url}/repositories/{repo.id}" + "".join(f"/{entry}" for entry in rest)
    query = request.target.partition("?")[2]
    where = f"{place}?{query}" if query else place
    return reply(301, {"message": "Moved Permanently", "url": where}, Location=where)


def find_repo(hub: Any, caller: Caller, parts: dict[str, str]) -> Repo:
    """Return the repository of a path; 404 if CALLER cannot see it."""
    repo: Repo | None = hub.find(f"{parts['owner']}/{parts['repo']}")
    if repo is None or role(caller, repo) is None:
        raise missing()
    return repo


def page(hub: Any, request: Request, items: list[Any], wrap: str | None = None) -> Response:
    """Return one page of ITEMS, with links to the others."""
    size = int(request.query.get("per_page", "30"))
    current = int(request.query.get("page", "1"))
    last = max(1, -(-len(items) // size))
    data = items[(current - 1) * size : current * size]
    links = []
    for rel, number in (
        ("prev", current - 1),
        ("next", current + 1),
        ("last", last),
        ("first", 1),
    ):
        skip = current == 1 if rel in {"prev", "first"} else current >= last
        if not skip:
            links.append(f'<{hub.page_url(request, number)}>; rel="{rel}"')
    value: Any = data if wrap is None else {"total_count": len(items), wrap: data}
    return reply(200, value, **({"Link": ", ".join(links)} if links else {}))


# Apps


def _app(hub: Any, request: Request, caller: Caller) -> App:
    if caller.app is None:
        token = request.headers.get("authorization", "").partition(" ")[2]
        return app_of(hub, token or "none")
    return caller.app


def get_app(hub: Any, request: Request, caller: Caller, parts: dict[str, str]) -> Response:
    return reply(200, hub.views.app(_app(hub, request, caller)))


def installations(hub: Any, request: Request, caller: Caller, parts: dict[str, str]) -> Response:
    app = _app(hub, request, caller)
    mine = [entry for entry in hub.installations if entry.app is app]
    return page(hub, request, [hub.views.installation(entry) for entry in mine])


def installation(hub: Any, request: Request, caller: Caller, parts: dict[str, str]) -> Response:
    return reply(200, hub.views.installation(_find_installation(hub, request, caller, parts)))


def _find_installation(
    hub: Any, request: Request, caller: Caller, parts: dict[str, str]
) -> Installation:
    app = _app(hub, request, caller)
    for entry in hub.installations:
        if entry.app is app and str(entry.id) == parts["installation_id"]:
            return entry
    raise missing()


def mint(hub: Any, request: Request, caller: Caller, parts: dict[str, str]) -> Response:
    entry = _find_installation(hub, request, caller, parts)
    if entry.suspended:
        raise RefusalError(403, "This installation has been suspended")
    body = request.json if request.body else {}
    selected = _select(hub, entry, body.get("repositories"))
    permissions = body.get("permissions") or entry.permissions
    for name, level in permissions.items():
        level_granted = entry.permissions.get(name, "")
        if level_granted not in LEVELS or LEVELS.index(level_granted) < LEVELS.index(level):
            message = "The permissions requested are not granted to this installation."
            raise RefusalError(422, message)
    token = Token(
        long_token(entry.app.id), None, entry, dict(permissions), selected, expires=hub.now() + 3600
    )
    token.unknown_for = hub.lag
    hub.tokens[token.text] = token
    hub.minted.append(token)
    data = {
        "token": token.text,
        "expires_at": stamp(token.expires),
        "permissions": token.permissions,
        "repository_selection": "all" if selected is None else "selected",
    }
    return reply(201, data)


def _select(hub: Any, entry: Installation, names: list[str] | None) -> set[int] | None:
    if names is None:
        return entry.repos
    match = set()
    for name in names:
        repo = hub.find(f"{entry.account.login}/{name}")
        if repo is None or (entry.repos is not None and repo.id not in entry.repos):
            raise RefusalError(
                422,
                "There is at least one repository that does not exist or is not accessible "
                "to the parent installation.",
            )
        match.add(repo.id)
    return match


def revoke(hub: Any, request: Request, caller: Caller, parts: dict[str, str]) -> Response:
    if caller.installation is None:
        raise RefusalError(403, "Resource not accessible by personal access token")
    caller.token.revoked = True
    return reply(204)


def repo_installation(
    hub: Any, request: Request, caller: Caller, parts: dict[str, str]
) -> Response:
    app = _app(hub, request, caller)
    repo = hub.find(f"{parts['owner']}/{parts['repo']}")
    for entry in hub.installations:
        fits = repo is not None and entry.app is app and entry.account is repo.owner
        if fits and (entry.repos is None or repo.id in entry.repos):
            return reply(200, hub.views.installation(entry))
    raise missing()


def owner_installation(
    hub: Any, request: Request, caller: Caller, parts: dict[str, str]
) -> Response:
    app = _app(hub, request, caller)
    login = parts.get("org") or parts["username"]
    for entry in hub.installations:
        if entry.app is app and entry.account.login.lower() == login.lower():
            return reply(200, hub.views.installation(entry))
    raise missing()


def installed_repos(hub: Any, request: Request, caller: Caller, parts: dict[str, str]) -> Response:
    entry = caller.installation
    if entry is None:
        raise RefusalError(403, "You must authenticate with an installation access token")
    mine = [r for r in hub.repos if r.owner is entry.account and role(caller, r) == "write"]
    return page(hub, request, [hub.views.repo(r, caller) for r in mine], "repositories")


# accounts


def _user(caller: Caller) -> Account:
    if caller.installation is not None:
        raise RefusalError(403, "Resource not accessible by integration")
    if caller.account is None:
        raise RefusalError(401, "Requires authentication")
    return caller.account


def user(hub: Any, request: Request, caller: Caller, parts: dict[str, str]) -> Response:
    return reply(200, hub.views.full_account(_user(caller)))


def named_user(hub: Any, request: Request, caller: Caller, parts: dict[str, str]) -> Response:
    login = parts["username"].lower()
    bots = [Account(f"{a.slug}[bot]", a.id + 100_000, "Bot") for a in hub.apps]
    for entry in (*hub.accounts.values(), *bots):
        if entry.login.lower() == login:
            return reply(200, hub.views.full_account(entry))
    raise missing()


def user_repos(hub: Any, request: Request, caller: Caller, parts: dict[str, str]) -> Response:
    query = request.query
    if "type" in query and ("visibility" in query or "affiliation" in query):
        raise invalid("If you specify visibility or affiliation, you cannot specify type.")
    me = _user(caller)
    mine = [
        repo
        for repo in hub.repos
        if (repo.owner is me or me.login in repo.roles) and role(caller, repo)
    ]
    mine.sort(key=lambda repo: repo.full_name)
    return page(hub, request, [hub.views.repo(repo, caller) for repo in mine])


# repositories


def repository(hub: Any, request: Request, caller: Caller, parts: dict[str, str]) -> Response:
    repo = find_repo(hub, caller, parts)
    demand(caller, repo, "metadata", "read")
    return reply(200, hub.views.full_repo(repo, caller))


def branches(hub: Any, request: Request, caller: Caller, parts: dict[str, str]) -> Response:
    repo = find_repo(hub, caller, parts)
    demand(caller, repo, "contents", "read")
    data = [hub.views.branch(repo, name, commit) for name, commit in repo.branches.items()]
    return page(hub, request, data)


def branch(hub: Any, request: Request, caller: Caller, parts: dict[str, str]) -> Response:
    repo = find_repo(hub, caller, parts)
    demand(caller, repo, "contents", "read")
    name = parts["branch"]
    commit = repo.head(name)
    if commit is None:
        raise RefusalError(404, "Branch not found")
    return reply(200, hub.views.branch(repo, name, commit))


def reference(hub: Any, request: Request, caller: Caller, parts: dict[str, str]) -> Response:
    repo = find_repo(hub, caller, parts)
    demand(caller, repo, "contents", "read")
    if not repo.branches:
        raise RefusalError(409, "Git Repository is empty.")
    commit = repo.head(parts["ref"].removeprefix("heads/"))
    if commit is None or not parts["ref"].startswith("heads/"):
        raise missing()
    url = f"{hub.api_url}/repos/{repo.full_name}/git/refs/{parts['ref']}"
    target = {"sha": commit, "type": "commit", "url": url}
    return reply(200, {"ref": f"refs/{parts['ref']}", "url": url, "object": target})


def compare(hub: Any, request: Request, caller: Caller, parts: dict[str, str]) -> Response:
    repo = find_repo(hub, caller, parts)
    demand(caller, repo, "contents", "read")
    base, _, head = parts["basehead"].partition("...")
    ends = [repo.head(entry) or _commit(repo, entry) for entry in (base, head)]
    if None in ends:
        raise missing()
    left, right = ends
    common, behind, ahead = left, 0, 0
    if left != right:
        common = repo.git("merge-base", left, right, ok=(0, 1))
        if not common:
            raise RefusalError(404, f"No common ancestor between {base} and {head}.")
        count = repo.git("rev-list", "--left-right", "--count", f"{left}...{right}").split()
        behind, ahead = map(int, count)
    status = ("diverged" if behind else "ahead") if ahead else ("behind" if behind else "identical")
    url = f"{hub.api_url}/repos/{repo.full_name}/compare/{parts['basehead']}"
    return reply(
        200,
        {
            "url": url,
            "status": status,
            "ahead_by": ahead,
            "behind_by": behind,
            "total_commits": ahead,
            "base_commit": {"sha": left, "url": url},
            "merge_base_commit": {"sha": common, "url": url},
            "commits": [],
            "files": [],
        },
    )


def _commit(repo: Repo, name: str) -> str | None:
    match = repo.git("rev-parse", "--verify", "-q", f"{name}^{{commit}}", ok=(0, 1, 128))
    return match or None


def rate_limit(hub: Any, request: Request, caller: Caller, parts: dict[str, str]) -> Response:
    core = {"limit": 5000, "used": 1, "remaining": 4999, "reset": int(hub.now()) + 3600}
    return reply(200, {"resources": {"core": core}, "rate": core})


def may(caller: Caller, repo: Repo, level: str) -> None:
    """Require permission for pull requests, or for issues."""
    if not has(caller, repo, "issues", level):
        demand(caller, repo, "pull_requests", level)


HANDLERS: dict[str, Handler] = {
    "GET /app": get_app,
    "GET /app/installations": installations,
    "GET /app/installations/{installation_id}": installation,
    "POST /app/installations/{installation_id}/access_tokens": mint,
    "DELETE /installation/token": revoke,
    "GET /repos/{owner}/{repo}/installation": repo_installation,
    "GET /orgs/{org}/installation": owner_installation,
    "GET /users/{username}/installation": owner_installation,
    "GET /installation/repositories": installed_repos,
    "GET /user": user,
    "GET /users/{username}": named_user,
    "GET /user/repos": user_repos,
    "GET /repos/{owner}/{repo}": repository,
    "GET /repos/{owner}/{repo}/branches": branches,
    "GET /repos/{owner}/{repo}/branches/{branch}": branch,
    "GET /repos/{owner}/{repo}/git/ref/{ref}": reference,
    "GET /repos/{owner}/{repo}/compare/{basehead}": compare,
    "GET /rate_limit": rate_limit,
    "GET /repos/{owner}/{repo}/pulls": pulls.list_pulls,
    "POST /repos/{owner}/{repo}/pulls": pulls.create,
    "GET /repos/{owner}/{repo}/pulls/{pull_number}": pulls.get,
    "PATCH /repos/{owner}/{repo}/pulls/{pull_number}": pulls.update,
    "GET /repos/{owner}/{repo}/pulls/{pull_number}/comments": pulls.lines,
    "POST /repos/{owner}/{repo}/pulls/{pull_number}/comments": pulls.add_line,
    "POST /repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies": pulls.add_reply,
    "GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews": pulls.reviews,
    "GET /repos/{owner}/{repo}/issues/{issue_number}": pulls.issue,
    "GET /repos/{owner}/{repo}/issues/{issue_number}/comments": pulls.comments,
    "POST /repos/{owner}/{repo}/issues/{issue_number}/comments": pulls.add_comment,
}
