"""The double is held against a client that knows nothing of it or of dursor."""

import subprocess

import github
import pytest
import repos
from github import Auth, Github, GithubException, GithubIntegration, UnknownObjectException
from hub import Hub
from hub.keys import key_pair
from hub.server import PROTECTED, RULES
from hub.state import Repo

QUICK = {"retry": None, "seconds_between_requests": None, "seconds_between_writes": None}


@pytest.fixture
def hub(tmp_path):
    """A GitHub for requests of other clients."""
    with Hub(tmp_path / "hub") as running:
        yield running


@pytest.fixture
def lib(hub):
    created = hub.repo("ada/lib", {"a.py": "1\n"}, private=True)
    created.commit("topic", {"b.py": "2\n"})
    return created


@pytest.fixture
def as_user(hub):
    opened = []

    def login(name):
        auth = Auth.Token(hub.token(name))
        opened.append(Github(base_url=hub.api_url, auth=auth, **QUICK))
        return opened[-1]

    yield login
    for entry in opened:
        entry.close()


def test_accounts_repositories_and_branches(hub, lib, as_user):
    client = as_user("ada")
    assert client.get_user().login == "ada"
    assert [repo.full_name for repo in client.get_user().get_repos()] == ["ada/lib"]
    repo = client.get_repo("ada/lib")
    assert (repo.default_branch, repo.private, repo.permissions.push) == ("main", True, True)
    assert {b.name: b.commit.sha for b in repo.get_branches()} == lib.branches
    assert repo.get_branch("topic").commit.sha == lib.head("topic")
    assert repo.get_git_ref("heads/topic").object.sha == lib.head("topic")
    comparison = repo.compare("main", "topic")
    assert (comparison.status, comparison.ahead_by, comparison.behind_by) == ("ahead", 1, 0)
    with pytest.raises(UnknownObjectException):
        as_user("eve").get_repo("ada/lib")


def test_pages_are_followed(hub, lib, as_user):
    commit = lib.head("main")
    lines = "".join(f"create refs/heads/b{number} {commit}\n" for number in range(70))
    lib.git("update-ref", "--stdin", stdin=lines.encode())
    assert len(list(as_user("ada").get_repo("ada/lib").get_branches())) == 72
    assert hub.count("GET */branches") == 3


def test_pull_request_from_creation_to_merge(hub, lib, as_user):
    repo = as_user("ada").get_repo("ada/lib")
    pull = repo.create_pull(base="main", head="ada:topic", title="T", body="B", draft=True)
    assert (pull.number, pull.state, pull.draft, pull.user.login) == (1, "open", True, "ada")
    assert (pull.head.sha, pull.base.ref) == (lib.head("topic"), "main")
    with pytest.raises(GithubException) as failure:
        repo.create_pull(base="main", head="ada:topic", title="T", body="B")
    assert failure.value.status == 422
    comments = failure.value.data["errors"][0]["message"]
    assert comments == "A pull request already exists for ada:topic."
    assert [entry.number for entry in repo.get_pulls(head="ada:topic", state="all")] == [1]
    assert list(repo.get_pulls(head="ada:other")) == []
    pull.edit(title="T2", body="B2")
    assert repo.get_pull(1).title == "T2"
    hub.merge(lib.pulls[1])
    merged = repo.get_pull(1)
    assert merged.merged
    assert merged.state == "closed"
    assert merged.merged_at is not None


def test_comments_and_reviews(hub, lib, as_user):
    lib.roles["bob"] = "write"
    repo = as_user("ada").get_repo("ada/lib")
    pull = repo.create_pull(base="main", head="topic", title="T", body="B")
    theirs = as_user("bob").get_repo("ada/lib").get_pull(1)
    theirs.create_issue_comment("hello")
    commit = theirs.base.repo.get_branch("topic").commit.sha
    requester = theirs.requester
    _, line = requester.requestJsonAndCheck(
        "POST",
        f"{theirs.url}/comments",
        input={"body": "nit", "commit_id": commit, "path": "b.py", "line": 1, "side": "RIGHT"},
    )
    theirs.create_review_comment_reply(line["id"], "answer")
    hub.review(lib.pulls[1], "bob", "fine", "APPROVED")
    assert [entry.body for entry in pull.get_issue_comments()] == ["hello"]
    assert [entry.body for entry in pull.get_review_comments()] == ["nit", "answer"]
    assert [(entry.state, entry.body) for entry in pull.get_reviews()] == [("APPROVED", "fine")]
    replies = [entry._rawData.get("in_reply_to_id") for entry in pull.get_review_comments()]
    assert replies == [None, line["id"]]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"base": "absent"}, "'field': 'base'"),
        ({"head": "ada:absent"}, "'field': 'head'"),
        ({"head": "ada:main"}, "No commits between main and main"),
        ({"title": ""}, "missing_field"),
    ],
)
def test_refused_requests(lib, as_user, change, part):
    requested = {"base": "main", "head": "ada:topic", "title": "T", "body": "B", **change}
    with pytest.raises(GithubException) as failure:
        as_user("ada").get_repo("ada/lib").create_pull(**requested)
    assert failure.value.status == 422
    assert part in str(failure.value.data["errors"])


def test_app(hub, lib):
    app = hub.app("helper")
    installation = hub.install(app, "ada", [lib])
    auth = Auth.AppAuth(app.id, key_pair()[0])
    with GithubIntegration(base_url=hub.api_url, auth=auth, **QUICK) as integration:
        assert integration.get_app().slug == "helper"
        assert [entry.id for entry in integration.get_installations()] == [installation.id]
        assert integration.get_repo_installation("ada", "lib").id == installation.id
        token = integration.get_access_token(installation.id, permissions={"contents": "read"})
        assert token.permissions == {"contents": "read"}
    with Github(base_url=hub.api_url, auth=Auth.Token(token.token), **QUICK) as client:
        assert client.get_repo("ada/lib").full_name == "ada/lib"
        with pytest.raises(GithubException) as failure:
            client.get_repo("ada/lib").create_pull(base="main", head="topic", title="T", body="")
        assert failure.value.status == 403
        hub.tokens[token.token].expires = hub.now()
        with pytest.raises(github.BadCredentialsException):
            client.get_repo("ada/lib")


def test_renamed_repository(hub, lib, as_user):
    hub.rename(lib, "ada/other")
    assert as_user("ada").get_repo("ada/lib").full_name == "ada/other"


def test_violations_are_recorded(hub, as_user):
    as_user("ada").get_user().login  # noqa: B018 - asks
    assert hub.violations != []


# git


@pytest.fixture
def git(hub, tmp_path, lib):
    """Run git against the double."""

    def run(*args, token=None, cwd=tmp_path, name="ada/lib"):
        url = f"{hub.url}/{name}.git"
        if token:
            url = url.replace("://", f"://x:{token}@")
        return subprocess.run(
            ["git", *(entry.replace("URL", url) for entry in args)],
            cwd=cwd, env=repos.environment(tmp_path), capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


def test_git_access(hub, lib, git):
    token = hub.token("ada")
    assert "could not read Username" in git("ls-remote", "URL").stderr
    assert "remote: Invalid username or token." in git("ls-remote", "URL", token="x").stderr
    assert "remote: Repository not found." in git("ls-remote", "URL", token=hub.token("eve")).stderr
    assert (
        "remote: Repository not found."
        in git("ls-remote", "URL", token=token, name="ada/no").stderr
    )
    assert lib.head("main") in git("ls-remote", "URL", token=token).stdout


@pytest.fixture
def clone(hub, lib, git, tmp_path):
    token = hub.token("ada")
    assert git("clone", "-q", "URL", "work", token=token).returncode == 0
    return tmp_path / "work"


def push(clone, branch="main", *options):
    done = subprocess.run(
        ["git", "push", *options, "origin", f"HEAD:refs/heads/{branch}"],
        cwd=clone, env=repos.environment(clone.parent), capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr


def test_push(hub, lib: Repo, clone, as_user):
    repo = as_user("ada").get_repo("ada/lib")
    repo.create_pull(base="main", head="topic", title="T", body="")
    repos.git(clone, "checkout", "-q", "topic")
    commit = repos.commit(clone, {"big": "x" * 3_000_000})
    assert push(clone, "topic")[0] == 0
    assert lib.head("topic") == commit
    assert repo.get_pull(1).head.sha == commit


@pytest.mark.parametrize(("rule", "code"), [(PROTECTED, "GH006"), (RULES, "GH013")])
def test_push_refused_by_rules(lib, clone, rule, code):
    lib.refused["refs/heads/ma*"] = rule
    before = lib.head("main")
    repos.commit(clone, {"c": "1"})
    status, comments = push(clone)
    assert (status, lib.head("main")) == (1, before)
    assert f"! [remote rejected] HEAD -> main ({rule[0]})" in comments
    assert f"remote: error: {code}:" in comments
    assert push(clone, "other")[0] == 0


def test_workflow_permission(hub, lib, clone):
    repos.commit(clone, {".github/workflows/x.yml": "on: push\n"})
    status, comments = push(clone, "flow")
    assert status == 1
    assert "refusing to allow a Personal Access Token to create or update workflow" in comments
    assert "`.github/workflows/x.yml` without" in comments
    next(iter(hub.tokens.values())).scopes.add("workflow")
    assert push(clone, "flow")[0] == 0


def test_archived_and_read_only_repositories(hub, lib, clone, git):
    lib.roles["bob"] = "read"
    done = git("push", "URL", "HEAD:x", token=hub.token("bob"), cwd=clone)
    assert "remote: Permission to ada/lib.git denied to bob." in done.stderr
    lib.archived = True
    assert "archived so it is read-only" in push(clone, "x")[1]
