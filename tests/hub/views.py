"""The double's JSON, in GitHub's format."""

from typing import Any

from hub.access import Caller, has
from hub.state import Account, App, Installation, Pull, Repo, stamp

CREATED = "2026-01-02T03:04:05Z"


class Views:
    """Builds JSON; API and WEB are the double's URLs."""

    def __init__(self, api: str, web: str) -> None:
        self.api = api
        self.web = web

    def account(self, account: Account) -> dict[str, Any]:
        login = account.login
        return {
            "login": login,
            "id": account.id,
            "node_id": f"U_{account.id}",
            "type": account.type,
            "site_admin": False,
            "url": f"{self.api}/users/{login}",
            "html_url": f"{self.web}/{login.removesuffix('[bot]')}",
            "avatar_url": f"{self.web}/avatars/{account.id}",
        }

    def full_account(self, account: Account) -> dict[str, Any]:
        more = {"name": account.name, "email": None, "created_at": CREATED, "updated_at": CREATED}
        return self.account(account) | more

    def app(self, app: App) -> dict[str, Any]:
        return {
            "id": app.id,
            "slug": app.slug,
            "client_id": app.client_id,
            "node_id": f"A_{app.id}",
            "name": app.slug,
            "description": None,
            "external_url": f"{self.web}/{app.slug}",
            "html_url": f"{self.web}/apps/{app.slug}",
            "created_at": CREATED,
            "updated_at": CREATED,
            "permissions": app.permissions,
            "events": [],
        }

    def installation(self, installation: Installation) -> dict[str, Any]:
        return {
            "id": installation.id,
            "account": self.account(installation.account),
            "repository_selection": "all" if installation.repos is None else "selected",
            "access_tokens_url": f"{self.api}/app/installations/{installation.id}/access_tokens",
            "repositories_url": f"{self.api}/installation/repositories",
            "html_url": f"{self.web}/settings/installations/{installation.id}",
            "app_id": installation.app.id,
            "app_slug": installation.app.slug,
            "target_id": installation.account.id,
            "target_type": installation.account.type,
            "permissions": installation.permissions,
            "events": [],
            "created_at": CREATED,
            "updated_at": CREATED,
            "single_file_name": None,
            "suspended_at": CREATED if installation.suspended else None,
        }

    def repo(self, repo: Repo, caller: Caller | None = None) -> dict[str, Any]:
        data = {
            "id": repo.id,
            "node_id": f"R_{repo.id}",
            "name": repo.name,
            "full_name": repo.full_name,
            "private": repo.private,
            "owner": self.account(repo.owner),
            "html_url": f"{self.web}/{repo.full_name}",
            "description": None,
            "fork": repo.parent is not None,
            "url": f"{self.api}/repos/{repo.full_name}",
            "clone_url": f"{self.web}/{repo.full_name}.git",
            "ssh_url": f"git@localhost:{repo.full_name}.git",
            "default_branch": repo.default_branch,
            "archived": repo.archived,
            "disabled": False,
            "visibility": "private" if repo.private else "public",
            "size": 1 if repo.branches else 0,
            "created_at": CREATED,
            "updated_at": CREATED,
            "pushed_at": CREATED,
        }
        if caller is None or caller.token is None:
            return data
        may = {"read": "pull", "write": "push", "admin": "admin"}
        rights = {word: has(caller, repo, "contents", level) for level, word in may.items()}
        return data | {"permissions": rights}

    def full_repo(self, repo: Repo, caller: Caller) -> dict[str, Any]:
        data = self.repo(repo, caller)
        if repo.parent is not None:
            data |= {"parent": self.repo(repo.parent), "source": self.repo(repo.parent)}
        return data

    def branch(self, repo: Repo, name: str, commit: str) -> dict[str, Any]:
        url = f"{self.api}/repos/{repo.full_name}/commits/{commit}"
        protected = f"refs/heads/{name}" in repo.refused
        return {"name": name, "commit": {"sha": commit, "url": url}, "protected": protected}

    def pull(self, pull: Pull, *, full: bool = False) -> dict[str, Any]:
        pull.follow()
        repo, number = pull.repo, pull.number
        url = f"{self.api}/repos/{repo.full_name}/pulls/{number}"
        head_repo = None if pull.head is None else self.repo(pull.head)
        data = {
            "url": url,
            "id": pull.id,
            "node_id": f"PR_{pull.id}",
            "html_url": f"{self.web}/{repo.full_name}/pull/{number}",
            "issue_url": f"{self.api}/repos/{repo.full_name}/issues/{number}",
            "comments_url": f"{self.api}/repos/{repo.full_name}/issues/{number}/comments",
            "review_comments_url": f"{url}/comments",
            "number": number,
            "state": pull.state,
            "locked": False,
            "title": pull.title,
            "body": pull.body,
            "user": self.account(pull.author),
            "draft": pull.draft,
            "created_at": stamp(pull.created),
            "updated_at": stamp(pull.updated),
            "closed_at": None if pull.state == "open" else stamp(pull.updated),
            "merged_at": None if pull.merged_at is None else stamp(pull.merged_at),
            "merge_commit_sha": pull.merge_commit,
            "assignees": [],
            "labels": [],
            "requested_reviewers": [],
            "head": {
                "label": f"{pull.head_owner}:{pull.branch}",
                "ref": pull.branch,
                "sha": pull.last,
                "user": None if pull.head is None else self.account(pull.head.owner),
                "repo": head_repo,
            },
            "base": {
                "label": f"{repo.owner.login}:{pull.base}",
                "ref": pull.base,
                "sha": pull.base_commit,
                "user": self.account(repo.owner),
                "repo": self.repo(repo),
            },
        }
        if not full:
            return data
        counts = {"comments": len(pull.comments), "review_comments": len(pull.lines)}
        return data | counts | {"merged": pull.merged_at is not None, "mergeable": None}
