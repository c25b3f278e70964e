"""Pull requests over REST: finding, opening, changing, and what is said about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dursor.errors import AuthError, ConflictError, DursorError, NotFoundError, ProviderError
from dursor.github import errors
from dursor.github.payload import parse_json, to_list
from dursor.github.resources import (
    Comment,
    CreatedPull,
    PullInfo,
    read_comment,
    read_pull,
    read_review,
)
from dursor.github.rest import RestRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dursor.github.repo_names import RepoName
    from dursor.github.rest import Authenticator, RestClient
    from dursor.github.transport import RestResponse

STATES = {"open": "open", "closed": "closed"}


class PullRequestApi:
    """The pull requests of repository NAME."""

    def __init__(self, rest: RestClient, authority: Authenticator, name: RepoName) -> None:
        self._rest = rest
        self._authority = authority
        self._name = name
        self._path = f"/repos/{name}/pulls"

    def get(self, number: int) -> PullInfo:
        """Read pull request NUMBER."""
        doing = f"read pull request {number} of {self._name}"
        found = self._read(self._rest.send(self._ask("GET", f"/{number}", doing), self._authority))
        return _checked(found, number)

    def find(self, head_owner: str, branch: str) -> PullInfo | None:
        """Find the pull request that BRANCH of HEAD_OWNER is in: an open one, else the newest."""
        query = {"head": f"{head_owner}:{branch}", "state": "all", "direction": "desc"}
        doing = f"look for a pull request of {branch} in {self._name}"
        found: list[PullInfo] = []
        for page in self._rest.pages(RestRequest("GET", self._path, doing, query), self._authority):
            found += [read_pull(one, self._rest.host) for one in to_list(page)]
        mine = [one for one in found if one.head_ref == branch and _is_of(one, head_owner)]
        mine.sort(key=lambda one: (one.state in {"open", "draft"}, one.number))
        return mine[-1] if mine else None

    def create(self, body: Mapping[str, Any]) -> CreatedPull:
        """Open one with BODY as GitHub takes it; `head` is OWNER:BRANCH."""
        owner, _, branch = str(body["head"]).partition(":")
        doing = f"open a pull request in {self._name}"
        reply = self._rest.send(self._ask("POST", "", doing, body, accept=(422,)), self._authority)
        if reply.status != 422:
            return CreatedPull(self._read(reply), created=True, draft_refused=False)
        said = _said(reply)
        if "already exists" in said and (found := self.find(owner, branch)) is not None:
            return CreatedPull(found, created=False, draft_refused=False)
        if body.get("draft") and "draft" in said.lower():
            made = self.create({**body, "draft": False})
            return CreatedPull(made.pull, made.created, draft_refused=True)
        raise _refusal(reply, self._name, branch, str(body["base"]))

    def update(self, number: int, body: Mapping[str, Any]) -> PullInfo:
        """Change title, body, base or state."""
        doing = f"change pull request {number} of {self._name}"
        return self._read(
            self._rest.send(self._ask("PATCH", f"/{number}", doing, body), self._authority)
        )

    def remarks(self, number: int, since: str | None) -> list[Comment]:
        """List what was said, oldest first, from SINCE (ISO-8601) on if given."""
        host, path = self._rest.host, f"/repos/{self._name}"
        begin = "" if since is None else since[:19]  # GitHub counts whole seconds
        query = {"since": f"{begin}Z"} if begin else {}
        said = [
            read_comment(one, host)
            for where in (f"/issues/{number}/comments", f"/pulls/{number}/comments")
            for one in self._listed(path + where, number, query)
        ]
        reviews = [
            read_review(one, host)
            for one in self._listed(f"{path}/pulls/{number}/reviews", number, {})
        ]
        said += [one for one in reviews if one is not None and one.updated_at >= begin]
        return sorted(said, key=lambda one: (one.at, one.id))

    def _listed(self, path: str, number: int, query: Mapping[str, str]) -> Iterator[Any]:
        ask = RestRequest("GET", path, f"read what was said on pull request {number}", query)
        for page in self._rest.pages(ask, self._authority):
            yield from to_list(page)

    def _ask(
        self,
        method: str,
        path: str,
        doing: str,
        body: Mapping[str, Any] | None = None,
        accept: tuple[int, ...] = (),
    ) -> RestRequest:
        return RestRequest(method, self._path + path, doing, body=body, accept=accept)

    def _read(self, reply: RestResponse) -> PullInfo:
        return read_pull(parse_json(reply.body, self._rest.host.name), self._rest.host)


def _checked(pull: PullInfo, number: int) -> PullInfo:
    if pull.number != number:
        raise ProviderError(f"GitHub's answer is about another pull request, {pull.number}")
    return pull


def branch_path(branch: str) -> str:
    """Write BRANCH as a part of a path; its slashes stay."""
    return quote(branch, safe="/")


def _is_of(pull: PullInfo, owner: str) -> bool:
    return pull.head_repo is None or pull.head_repo.owner.lower() == owner.lower()


def _said(reply: RestResponse) -> str:
    message, details = errors.problem(reply)
    return "; ".join((*details, message))


def _refusal(reply: RestResponse, name: RepoName, branch: str, base: str) -> DursorError:
    """Tell the reasons apart for which GitHub opens no pull request."""
    said = _said(reply)
    if "No commits between" in said:
        return ConflictError(
            f"{branch} holds nothing that {base} of {name} does not",
            hint="it may be merged already: dursor pr list",
        )
    if "base is invalid" in said:
        return NotFoundError(f"{name} has no branch {base}", hint="--base BRANCH")
    if "head is invalid" in said:
        return ConflictError(
            f"the branch {branch} is not there, or not in a fork of {name}", hint="try again"
        )
    if "no history in common" in said or "history" in said:
        return ConflictError(
            f"{branch} and {base} of {name} have no commit in common", hint="--base BRANCH"
        )
    if "must be a collaborator" in said:
        return AuthError(
            f"only collaborators may open pull requests in {name}", hint=f"ask the owner of {name}"
        )
    return ConflictError(
        f"GitHub opens no pull request in {name}: {said}", hint=f"look at {name} on GitHub"
    )
