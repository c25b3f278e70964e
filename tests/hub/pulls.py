"""Pull requests in the double."""

from typing import Any

from hub import api
from hub.access import Caller, demand, has
from hub.state import Account, Pull, Repo, stamp
from hub.wire import RefusalError, Request, Response, invalid, missing, reply

Parts = dict[str, str]


def _custom(message: str) -> RefusalError:
    return invalid({"resource": "PullRequest", "code": "custom", "message": message})


def _field(name: str) -> RefusalError:
    return invalid({"resource": "PullRequest", "field": name, "code": "invalid"})


def _find(hub: Any, caller: Caller, parts: Parts, level: str = "read") -> Pull:
    repo = api.find_repo(hub, caller, parts)
    demand(caller, repo, "pull_requests", level)
    pull = repo.pulls.get(int(parts["pull_number"]) if parts["pull_number"].isdecimal() else 0)
    if pull is None:
        raise missing()
    return pull


def _find_by_issue(hub: Any, caller: Caller, parts: Parts, level: str) -> Pull:
    repo = api.find_repo(hub, caller, parts)
    api.may(caller, repo, level)
    pull = repo.pulls.get(int(parts["issue_number"]))
    if pull is None:
        raise missing()
    return pull


def list_pulls(hub: Any, request: Request, caller: Caller, parts: Parts) -> Response:
    repo = api.find_repo(hub, caller, parts)
    demand(caller, repo, "pull_requests", "read")
    fields = request.query
    state, head = fields.get("state", "open"), fields.get("head", "")
    matches = [pull for pull in repo.pulls.values() if state in {"all", pull.state}]
    if ":" in head:  # GitHub ignores it without an owner
        matches = [p for p in matches if f"{p.head_owner}:{p.branch}".lower() == head.lower()]
    elif head:
        hub.violations.append("head without an owner has no effect")
    if "base" in fields:
        matches = [pull for pull in matches if pull.base == fields["base"]]
    newest_first = fields.get("direction", "desc" if "sort" not in fields else "asc") == "desc"
    matches.sort(key=lambda pull: pull.number, reverse=newest_first)
    return api.page(hub, request, [hub.views.pull(pull) for pull in matches])


def get(hub: Any, request: Request, caller: Caller, parts: Parts) -> Response:
    return reply(200, hub.views.pull(_find(hub, caller, parts), full=True))


def create(hub: Any, request: Request, caller: Caller, parts: Parts) -> Response:
    repo, fields = api.find_repo(hub, caller, parts), request.json
    demand(caller, repo, "pull_requests", "write")
    if repo.archived:
        raise RefusalError(403, "Repository was archived so is read-only.")
    if not fields.get("title"):
        raise invalid({"resource": "PullRequest", "code": "missing_field", "field": "title"})
    for field, limit in (("title", 256), ("body", 65_536)):
        if len(fields.get(field) or "") > limit:
            raise _custom(f"{field} is too long (maximum is {limit} characters)")
    head, owner, branch = _head(hub, caller, repo, fields["head"])
    base = fields["base"]
    tip, start = (head.head(branch) if head else None), repo.head(base)
    if head is None or tip is None:
        raise _field("head")
    if start is None:
        raise _field("base")
    _check_new(repo, head, (owner, branch, base), start, tip)
    if fields.get("draft") and not repo.drafts:
        raise RefusalError(422, "Draft pull requests are not supported in this repository.")
    pull = hub.open_pull(
        repo, head, branch, base, fields["title"], fields.get("body"), caller.account, tip, start
    )
    pull.draft = bool(fields.get("draft"))
    data = hub.views.pull(pull, full=True)
    return reply(201, data, Location=data["url"])


def _head(hub: Any, caller: Caller, repo: Repo, fields: str) -> tuple[Repo | None, str, str]:
    owner, _, branch = fields.rpartition(":")
    owner = owner or repo.owner.login
    if owner.lower() == repo.owner.login.lower():
        return repo, repo.owner.login, branch
    for entry in hub.repos:
        if entry.parent is repo and entry.owner.login.lower() == owner.lower():
            return entry, entry.owner.login, branch
    return None, owner, branch


def _check_new(repo: Repo, head: Repo, ends: tuple[str, str, str], start: str, tip: str) -> None:
    owner, branch, base = ends
    for pull in repo.pulls.values():
        same = (pull.head_owner, pull.branch, pull.base) == ends
        if pull.state == "open" and same:
            raise _custom(f"A pull request already exists for {owner}:{branch}.")
    shared = {"GIT_ALTERNATE_OBJECT_DIRECTORIES": str(head.path / "objects")}
    common = repo.git("merge-base", start, tip, env=shared, ok=(0, 1))
    if not common:
        raise _custom(f"The {branch} branch has no history in common with {base}")
    if common == tip:
        raise _custom(f"No commits between {base} and {branch}")


def update(hub: Any, request: Request, caller: Caller, parts: Parts) -> Response:
    pull, fields = _find(hub, caller, parts, "write"), request.json
    mine = caller.account is not None and caller.account.login == pull.author.login
    if not mine and not has(caller, pull.repo, "contents", "write"):
        raise RefusalError(403, "Must have admin rights to Repository.")
    if "base" in fields and pull.repo.head(fields["base"]) is None:
        raise _field("base")
    if fields.get("state") == "open" and pull.merged_at is not None:
        raise _custom("state cannot be changed. The pull request cannot be reopened.")
    for name in ("title", "body", "state", "base"):
        if name in fields:
            setattr(pull, name, fields[name])
    pull.updated = hub.tick()
    return reply(200, hub.views.pull(pull, full=True))


# comments and reviews


def _filter_since(request: Request, data: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [entry for entry in data if entry["updated_at"] >= request.query.get("since", "")]


def comments(hub: Any, request: Request, caller: Caller, parts: Parts) -> Response:
    pull = _find_by_issue(hub, caller, parts, "read")
    return api.page(hub, request, _filter_since(request, pull.comments))


def add_comment(hub: Any, request: Request, caller: Caller, parts: Parts) -> Response:
    pull = _find_by_issue(hub, caller, parts, "write")
    return reply(201, comment(hub, pull, caller.account, request.json["body"]))


def comment(hub: Any, pull: Pull, author: Account | None, body: str) -> dict[str, Any]:
    """Add a comment to the conversation."""
    number, time = hub.number(), stamp(hub.tick())
    web = f"{hub.url}/{pull.repo.full_name}/pull/{pull.number}"
    data = {
        "id": number,
        "node_id": f"IC_{number}",
        "url": f"{hub.api_url}/repos/{pull.repo.full_name}/issues/comments/{number}",
        "html_url": f"{web}#issuecomment-{number}",
        "issue_url": f"{hub.api_url}/repos/{pull.repo.full_name}/issues/{pull.number}",
        "user": None if author is None else hub.views.account(author),
        "body": body,
        "created_at": time,
        "updated_at": time,
        "author_association": "NONE",
    }
    pull.comments.append(data)
    return data


def lines(hub: Any, request: Request, caller: Caller, parts: Parts) -> Response:
    return api.page(hub, request, _filter_since(request, _find(hub, caller, parts).lines))


def add_line(hub: Any, request: Request, caller: Caller, parts: Parts) -> Response:
    pull, fields = _find(hub, caller, parts, "write"), request.json
    if "line" not in fields and "position" not in fields and "in_reply_to" not in fields:
        raise invalid({"resource": "PullRequestReviewComment", "field": "line", "code": "missing"})
    data = line(
        hub, pull, caller.account, fields["body"], fields["path"], fields.get("line"),
        commit=fields["commit_id"], side=fields.get("side", "RIGHT"),
    )  # fmt: skip
    return reply(201, data)


def add_reply(hub: Any, request: Request, caller: Caller, parts: Parts) -> Response:
    pull = _find(hub, caller, parts, "write")
    first = next((entry for entry in pull.lines if str(entry["id"]) == parts["comment_id"]), None)
    if first is None:
        raise missing()
    if "in_reply_to_id" in first:
        raise invalid("in_reply_to is not a top-level comment")
    data = line(hub, pull, caller.account, request.json["body"], first["path"], first["line"])
    data["in_reply_to_id"] = first["id"]
    return reply(201, data)


def line(
    hub: Any,
    pull: Pull,
    author: Account | None,
    body: str,
    path: str,
    number: int | None,
    *,
    commit: str | None = None,
    side: str = "RIGHT",
) -> dict[str, Any]:
    """Add a comment on a line; None is an outdated line."""
    ident, time = hub.number(), stamp(hub.tick())
    url = f"{hub.api_url}/repos/{pull.repo.full_name}/pulls"
    web = f"{hub.url}/{pull.repo.full_name}/pull/{pull.number}"
    data = {
        "id": ident,
        "node_id": f"RC_{ident}",
        "url": f"{url}/comments/{ident}",
        "html_url": f"{web}#discussion_r{ident}",
        "pull_request_url": f"{url}/{pull.number}",
        "pull_request_review_id": None,
        "user": None if author is None else hub.views.account(author),
        "body": body,
        "path": path,
        "line": number,
        "original_line": number or 1,
        "side": side,
        "position": number,
        "original_position": 1,
        "diff_hunk": f"@@ -1,1 +1,1 @@\n-old\n+line {number}",
        "commit_id": commit or pull.last,
        "original_commit_id": commit or pull.last,
        "created_at": time,
        "updated_at": time,
        "author_association": "NONE",
    }
    pull.lines.append(data)
    return data


def reviews(hub: Any, request: Request, caller: Caller, parts: Parts) -> Response:
    return api.page(hub, request, _find(hub, caller, parts).reviews)


def review(
    hub: Any, pull: Pull, author: Account, body: str, state: str = "COMMENTED"
) -> dict[str, Any]:
    """Add a review; a PENDING one is not submitted."""
    ident, time = hub.number(), stamp(hub.tick())
    web = f"{hub.url}/{pull.repo.full_name}/pull/{pull.number}"
    data = {
        "id": ident,
        "node_id": f"PRR_{ident}",
        "user": hub.views.account(author),
        "body": body,
        "state": state,
        "html_url": f"{web}#pullrequestreview-{ident}",
        "pull_request_url": f"{hub.api_url}/repos/{pull.repo.full_name}/pulls/{pull.number}",
        "commit_id": pull.last,
        "submitted_at": None if state == "PENDING" else time,
        "author_association": "NONE",
    }
    pull.reviews.append(data)
    return data


def issue(hub: Any, request: Request, caller: Caller, parts: Parts) -> Response:
    pull = _find_by_issue(hub, caller, parts, "read")
    data = hub.views.pull(pull)
    return reply(200, {**data, "url": data["issue_url"], "comments": len(pull.comments)})
