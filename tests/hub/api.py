"""The REST API of the double: one function for each operation."""

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
        found = route(request.method, hub.api_path(request.path))
        if found is None:
            raise missing()
        operation, parts = found
        parts = _resolved(hub, request, operation, parts)
        if isinstance(parts, Response):
            return parts
        caller = identify(hub, request)
        hub.violations += check(operation, request)
        response = HANDLERS[operation](hub, request, caller, parts)
        assert response.status in OPERATIONS[operation]["statuses"], (operation, response.status)
    except RefusalError as refusal:
        return refusal.response
    return response


def _resolved(hub: Any, request: Request, operation: str, parts: dict[str, str]) -> Any:
    """Point at the new place when the repository was renamed."""
    if "repo" not in parts:
        return parts
    old = f"{parts['owner']}/{parts['repo']}"
    repo = hub.find(old)
    if repo is None or repo.full_name.lower() == old.lower():
        return parts
    rest = hub.api_path(request.raw_path).split("/", 4)[4:]
    place = f"{hub.api_url}/repositories/{repo.id}" + "".join(f"/{one}" for one in rest)
    query = request.target.partition("?")[2]
    where = f"{place}?{query}" if query else place
    return reply(301, {"message": "Moved Permanently", "url": where}, Location=where)


def repo_of(hub: Any, caller: Caller, parts: dict[str, str]) -> Repo:
    """Find the repository of a path; one that CALLER cannot see is not there."""
    repo: Repo | None = hub.find(f"{parts['owner']}/{parts['repo']}")
    if repo is None or role(caller, repo) is None:
        raise missing()
    return repo


def page(hub: Any, request: Request, items: list[Any], wrap: str | None = None) -> Response:
    """Answer with one page of ITEMS, and say in Link where the others are."""
    size, at = int(request.query.get("per_page", "30")), int(request.query.get("page", "1"))
    last = max(1, -(-len(items) // size))
    shown = items[(at - 1) * size : at * size]
    links = []
    for rel, number in (("prev", at - 1), ("next", at + 1), ("last", last), ("first", 1)):
        skip = at == 1 if rel in {"prev", "first"} else at >= last
        if not skip:
            links.append(f'<{hub.page_url(request, number)}>; rel="{rel}"')
    value: Any = shown if wrap is None else {"total_count": len(items), wrap: shown}
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
    mine = [one for one in hub.installations if one.app is app]
    return page(hub, request, [hub.views.installation(one) for one in mine])


def installation(hub: Any, request: Request, caller: Caller, parts: dict[str, str]) -> Response:
    return reply(200, hub.views.installation(_installed(hub, request, caller, parts)))


def _installed(hub: Any, request: Request, caller: Caller, parts: dict[str, str]) -> Installation:
    app = _app(hub, request, caller)
    for one in hub.installations:
        if one.app is app and str(one.id) == parts["installation_id"]:
            return one
    raise missing()


def mint(hub: Any, request: Request, caller: Caller, parts: dict[str, str]) -> Response:
    one = _installed(hub, request, caller, parts)
    if one.suspended:
        raise RefusalError(403, "This installation has been suspended")
    body = request.json if request.body else {}
    wanted = _wanted(hub, one, body.get("repositories"))
    permissions = body.get("permissions") or one.permissions
    for name, level in permissions.items():
        given = one.permissions.get(name, "")
        if given not in LEVELS or LEVELS.index(given) < LEVELS.index(level):
            message = "The permissions requested are not granted to this installation."
            raise RefusalError(422, message)
    token = Token(
        long_token(one.app.id), None, one, dict(permissions), wanted, expires=hub.now() + 3600
    )
    token.unknown_for = hub.lag
    hub.tokens[token.text] = token
    hub.minted.append(token)
    shown = {
        "token": token.text,
        "expires_at": stamp(token.expires),
        "permissions": token.permissions,
        "repository_selection": "all" if wanted is None else "selected",
    }
    return reply(201, shown)


def _wanted(hub: Any, one: Installation, names: list[str] | None) -> set[int] | None:
    if names is None:
        return one.repos
    found = set()
    for name in names:
        repo = hub.find(f"{one.account.login}/{name}")
        if repo is None or (one.repos is not None and repo.id not in one.repos):
            raise RefusalError(
                422,
                "There is at least one repository that does not exist or is not accessible "
                "to the parent installation.",
            )
        found.add(repo.id)
    return found


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
    for one in hub.installations:
        fits = repo is not None and one.app is app and one.account is repo.owner
        if fits and (one.repos is None or repo.id in one.repos):
            return reply(200, hub.views.installation(one))
    raise missing()


def owner_installation(
    hub: Any, request: Request, caller: Caller, parts: dict[str, str]
) -> Response:
    app = _app(hub, request, caller)
    login = parts.get("org") or parts["username"]
    for one in hub.installations:
        if one.app is app and one.account.login.lower() == login.lower():
            return reply(200, hub.views.installation(one))
    raise missing()


def installed_repos(hub: Any, request: Request, caller: Caller, parts: dict[str, str]) -> Response:
    one = caller.installation
    if one is None:
        raise RefusalError(403, "You must authenticate with an installation access token")
    mine = [r for r in hub.repos if r.owner is one.account and role(caller, r) == "write"]
    return page(hub, request, [hub.views.repo(r, caller) for r in mine], "repositories")


# accounts


def _user(caller: Caller) -> Account:
    if caller.installation is not None:
        raise RefusalError(403, "Resource not accessible by integration")
    if caller.account is None:
        raise RefusalError(401, "Requires authentication")
    return caller.account


def user(hub: Any, request: Request, caller: Caller, parts: dict[str, str]) -> Response:
    return reply(200, hub.views.whole_account(_user(caller)))


def named_user(hub: Any, request: Request, caller: Caller, parts: dict[str, str]) -> Response:
    login = parts["username"].lower()
    bots = [Account(f"{a.slug}[bot]", a.id + 100_000, "Bot") for a in hub.apps]
    for one in (*hub.accounts.values(), *bots):
        if one.login.lower() == login:
            return reply(200, hub.views.whole_account(one))
    raise missing()


def user_repos(hub: Any, request: Request, caller: Caller, parts: dict[str, str]) -> Response:
    asked = request.query
    if "type" in asked and ("visibility" in asked or "affiliation" in asked):
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
    repo = repo_of(hub, caller, parts)
    demand(caller, repo, "metadata", "read")
    return reply(200, hub.views.whole_repo(repo, caller))


def branches(hub: Any, request: Request, caller: Caller, parts: dict[str, str]) -> Response:
    repo = repo_of(hub, caller, parts)
    demand(caller, repo, "contents", "read")
    shown = [hub.views.branch(repo, name, commit) for name, commit in repo.branches.items()]
    return page(hub, request, shown)


def branch(hub: Any, request: Request, caller: Caller, parts: dict[str, str]) -> Response:
    repo = repo_of(hub, caller, parts)
    demand(caller, repo, "contents", "read")
    name = parts["branch"]
    commit = repo.head(name)
    if commit is None:
        raise RefusalError(404, "Branch not found")
    return reply(200, hub.views.branch(repo, name, commit))


def reference(hub: Any, request: Request, caller: Caller, parts: dict[str, str]) -> Response:
    repo = repo_of(hub, caller, parts)
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
    repo = repo_of(hub, caller, parts)
    demand(caller, repo, "contents", "read")
    base, _, head = parts["basehead"].partition("...")
    ends = [repo.head(one) or _commit(repo, one) for one in (base, head)]
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
    found = repo.git("rev-parse", "--verify", "-q", f"{name}^{{commit}}", ok=(0, 1, 128))
    return found or None


def rate_limit(hub: Any, request: Request, caller: Caller, parts: dict[str, str]) -> Response:
    core = {"limit": 5000, "used": 1, "remaining": 4999, "reset": int(hub.now()) + 3600}
    return reply(200, {"resources": {"core": core}, "rate": core})


def may(caller: Caller, repo: Repo, level: str) -> None:
    """Demand the right to read or write pull requests; issues' would do for their conversation."""
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
    "GET /repos/{owner}/{repo}/pulls": pulls.listed,
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
