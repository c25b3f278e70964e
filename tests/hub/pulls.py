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
    repo = api.repo_of(hub, caller, parts)
    demand(caller, repo, "pull_requests", level)
    pull = repo.pulls.get(int(parts["pull_number"]) if parts["pull_number"].isdecimal() else 0)
    if pull is None:
        raise missing()
    return pull


def _discussed(hub: Any, caller: Caller, parts: Parts, level: str) -> Pull:
    repo = api.repo_of(hub, caller, parts)
    api.may(caller, repo, level)
    pull = repo.pulls.get(int(parts["issue_number"]))
    if pull is None:
        raise missing()
    return pull


def listed(hub: Any, request: Request, caller: Caller, parts: Parts) -> Response:
    repo = api.repo_of(hub, caller, parts)
    demand(caller, repo, "pull_requests", "read")
    asked = request.query
    state, head = asked.get("state", "open"), asked.get("head", "")
    found = [pull for pull in repo.pulls.values() if state in {"all", pull.state}]
    if ":" in head:  # without an owner, GitHub takes no notice of it
        found = [p for p in found if f"{p.head_owner}:{p.branch}".lower() == head.lower()]
    elif head:
        hub.violations.append("head without an owner has no effect")
    if "base" in asked:
        found = [pull for pull in found if pull.base == asked["base"]]
    newest_first = asked.get("direction", "desc" if "sort" not in asked else "asc") == "desc"
    found.sort(key=lambda pull: pull.number, reverse=newest_first)
    return api.page(hub, request, [hub.views.pull(pull) for pull in found])


def get(hub: Any, request: Request, caller: Caller, parts: Parts) -> Response:
    return reply(200, hub.views.pull(_find(hub, caller, parts), whole=True))


def create(hub: Any, request: Request, caller: Caller, parts: Parts) -> Response:
    repo, asked = api.repo_of(hub, caller, parts), request.json
    demand(caller, repo, "pull_requests", "write")
    if repo.archived:
        raise RefusalError(403, "Repository was archived so is read-only.")
    if not asked.get("title"):
        raise invalid({"resource": "PullRequest", "code": "missing_field", "field": "title"})
    for field, most in (("title", 256), ("body", 65_536)):
        if len(asked.get(field) or "") > most:
            raise _custom(f"{field} is too long (maximum is {most} characters)")
    head, owner, branch = _head(hub, caller, repo, asked["head"])
    base = asked["base"]
    tip, start = (head.head(branch) if head else None), repo.head(base)
    if head is None or tip is None:
        raise _field("head")
    if start is None:
        raise _field("base")
    _check_new(repo, head, (owner, branch, base), start, tip)
    if asked.get("draft") and not repo.drafts:
        raise RefusalError(422, "Draft pull requests are not supported in this repository.")
    pull = hub.open_pull(
        repo, head, branch, base, asked["title"], asked.get("body"), caller.account, tip, start
    )
    pull.draft = bool(asked.get("draft"))
    shown = hub.views.pull(pull, whole=True)
    return reply(201, shown, Location=shown["url"])


def _head(hub: Any, caller: Caller, repo: Repo, asked: str) -> tuple[Repo | None, str, str]:
    owner, _, branch = asked.rpartition(":")
    owner = owner or repo.owner.login
    if owner.lower() == repo.owner.login.lower():
        return repo, repo.owner.login, branch
    for one in hub.repos:
        if one.parent is repo and one.owner.login.lower() == owner.lower():
            return one, one.owner.login, branch
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
    pull, asked = _find(hub, caller, parts, "write"), request.json
    mine = caller.account is not None and caller.account.login == pull.author.login
    if not mine and not has(caller, pull.repo, "contents", "write"):
        raise RefusalError(403, "Must have admin rights to Repository.")
    if "base" in asked and pull.repo.head(asked["base"]) is None:
        raise _field("base")
    if asked.get("state") == "open" and pull.merged_at is not None:
        raise _custom("state cannot be changed. The pull request cannot be reopened.")
    for name in ("title", "body", "state", "base"):
        if name in asked:
            setattr(pull, name, asked[name])
    pull.updated = hub.tick()
    return reply(200, hub.views.pull(pull, whole=True))


# what is said


def _since(request: Request, said: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in said if one["updated_at"] >= request.query.get("since", "")]


def comments(hub: Any, request: Request, caller: Caller, parts: Parts) -> Response:
    pull = _discussed(hub, caller, parts, "read")
    return api.page(hub, request, _since(request, pull.comments))


def add_comment(hub: Any, request: Request, caller: Caller, parts: Parts) -> Response:
    pull = _discussed(hub, caller, parts, "write")
    return reply(201, comment(hub, pull, caller.account, request.json["body"]))


def comment(hub: Any, pull: Pull, author: Account | None, body: str) -> dict[str, Any]:
    """Add to the conversation."""
    number, at = hub.number(), stamp(hub.tick())
    web = f"{hub.url}/{pull.repo.full_name}/pull/{pull.number}"
    said = {
        "id": number,
        "node_id": f"IC_{number}",
        "url": f"{hub.api_url}/repos/{pull.repo.full_name}/issues/comments/{number}",
        "html_url": f"{web}#issuecomment-{number}",
        "issue_url": f"{hub.api_url}/repos/{pull.repo.full_name}/issues/{pull.number}",
        "user": None if author is None else hub.views.account(author),
        "body": body,
        "created_at": at,
        "updated_at": at,
        "author_association": "NONE",
    }
    pull.comments.append(said)
    return said


def lines(hub: Any, request: Request, caller: Caller, parts: Parts) -> Response:
    return api.page(hub, request, _since(request, _find(hub, caller, parts).lines))


def add_line(hub: Any, request: Request, caller: Caller, parts: Parts) -> Response:
    pull, asked = _find(hub, caller, parts, "write"), request.json
    if "line" not in asked and "position" not in asked and "in_reply_to" not in asked:
        raise invalid({"resource": "PullRequestReviewComment", "field": "line", "code": "missing"})
    said = line(
        hub, pull, caller.account, asked["body"], asked["path"], asked.get("line"),
        commit=asked["commit_id"], side=asked.get("side", "RIGHT"),
    )  # fmt: skip
    return reply(201, said)


def add_reply(hub: Any, request: Request, caller: Caller, parts: Parts) -> Response:
    pull = _find(hub, caller, parts, "write")
    first = next((one for one in pull.lines if str(one["id"]) == parts["comment_id"]), None)
    if first is None:
        raise missing()
    if "in_reply_to_id" in first:
        raise invalid("in_reply_to is not a top-level comment")
    said = line(hub, pull, caller.account, request.json["body"], first["path"], first["line"])
    said["in_reply_to_id"] = first["id"]
    return reply(201, said)


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
    """Say something about a line; None: of a file that was changed since."""
    ident, at = hub.number(), stamp(hub.tick())
    url = f"{hub.api_url}/repos/{pull.repo.full_name}/pulls"
    web = f"{hub.url}/{pull.repo.full_name}/pull/{pull.number}"
    said = {
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
        "created_at": at,
        "updated_at": at,
        "author_association": "NONE",
    }
    pull.lines.append(said)
    return said


def reviews(hub: Any, request: Request, caller: Caller, parts: Parts) -> Response:
    return api.page(hub, request, _find(hub, caller, parts).reviews)


def review(
    hub: Any, pull: Pull, author: Account, body: str, state: str = "COMMENTED"
) -> dict[str, Any]:
    """Add a review; one that is PENDING has not been submitted."""
    ident, at = hub.number(), stamp(hub.tick())
    web = f"{hub.url}/{pull.repo.full_name}/pull/{pull.number}"
    said = {
        "id": ident,
        "node_id": f"PRR_{ident}",
        "user": hub.views.account(author),
        "body": body,
        "state": state,
        "html_url": f"{web}#pullrequestreview-{ident}",
        "pull_request_url": f"{hub.api_url}/repos/{pull.repo.full_name}/pulls/{pull.number}",
        "commit_id": pull.last,
        "submitted_at": None if state == "PENDING" else at,
        "author_association": "NONE",
    }
    pull.reviews.append(said)
    return said


def issue(hub: Any, request: Request, caller: Caller, parts: Parts) -> Response:
    pull = _discussed(hub, caller, parts, "read")
    shown = hub.views.pull(pull)
    return reply(200, {**shown, "url": shown["issue_url"], "comments": len(pull.comments)})
