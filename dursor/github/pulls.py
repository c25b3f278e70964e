"""The pull requests of one repository over REST."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dursor.errors import ProviderError
from dursor.github.errors import join_details, to_pull_error
from dursor.github.payload import to_list
from dursor.github.resources import (
    Comment,
    CreatedPull,
    PullInfo,
    parse_comment,
    parse_pull,
    parse_review,
)
from dursor.github.rest import RestRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dursor.github.repo_names import RepoName
    from dursor.github.rest import Authenticator, RestClient


class PullRequestApi:
    """Reads and creates pull requests of repository NAME."""

    def __init__(self, rest: RestClient, auth: Authenticator, name: RepoName) -> None:
        self._rest = rest
        self._auth = auth
        self._name = name
        self._path = f"/repos/{name}/pulls"

    def get(self, number: int) -> PullInfo:
        action = f"read pull request {number} of {self._name}"
        pull = self._parse(self._rest.get(f"{self._path}/{number}", action, self._auth))
        if pull.number != number:
            raise ProviderError(f"GitHub's response is about #{pull.number} instead of #{number}")
        return pull

    def find(self, head_owner: str, branch: str) -> PullInfo | None:
        """Return the pull request from BRANCH of HEAD_OWNER: an open one, else the newest."""
        query = {"head": f"{head_owner}:{branch}", "state": "all", "direction": "desc"}
        action = f"look for a pull request from {branch} in {self._name}"
        pulls = [
            pull
            for entry in self._list(self._path, action, query)
            if _is_from(pull := self._parse(entry), head_owner, branch)
        ]
        return max(
            pulls, key=lambda pull: (pull.state in {"open", "draft"}, pull.number), default=None
        )

    def create(
        self, *, head: str, base: str, title: str, body: str, draft: bool = False
    ) -> CreatedPull:
        """Open a pull request from HEAD (OWNER:BRANCH) into BASE, or return the open one."""
        fields = {"title": title, "head": head, "base": base, "body": body, "draft": draft}
        action = f"open a pull request in {self._name}"
        request = RestRequest("POST", self._path, action, body=fields, accept=(422,))
        response = self._rest.send(request, self._auth)
        if response.status != 422:
            pull = self._parse(response.json())
            return CreatedPull(pull, created=True, draft_refused=False)
        owner, _, branch = head.partition(":")
        reason = join_details(response)
        if "already exists" in reason and (existing := self.find(owner, branch)) is not None:
            return CreatedPull(existing, created=False, draft_refused=False)
        if draft and "draft" in reason.lower():
            result = self.create(head=head, base=base, title=title, body=body)
            return CreatedPull(result.pull, result.created, draft_refused=True)
        raise to_pull_error(response, self._name, branch, base)

    def list_comments(self, number: int) -> list[Comment]:
        """Return comments and submitted reviews, oldest first."""
        action = f"read the comments on pull request {number}"
        issue_path = f"/repos/{self._name}/issues/{number}"
        paths = (f"{issue_path}/comments", f"{self._path}/{number}/comments")
        comments = [parse_comment(entry) for path in paths for entry in self._list(path, action)]
        reviews = map(parse_review, self._list(f"{self._path}/{number}/reviews", action))
        comments += [review for review in reviews if review is not None]
        return sorted(comments, key=lambda comment: (comment.created_at, comment.id))

    def _list(
        self, path: str, action: str, query: Mapping[str, str] | None = None
    ) -> Iterator[Any]:
        request = RestRequest("GET", path, action, query or {})
        for page in self._rest.get_pages(request, self._auth):
            yield from to_list(page)

    def _parse(self, value: Any) -> PullInfo:
        return parse_pull(value, self._rest.host)


def _is_from(pull: PullInfo, owner: str, branch: str) -> bool:
    is_owned = pull.head_repo is None or pull.head_repo.owner.lower() == owner.lower()
    return pull.head_ref == branch and is_owned
