import json

import pytest
from hub.wire import Response

from dursor.errors import AuthError, NotFoundError, ProviderError, UsageError
from dursor.github.repo_names import RepoName

LIB = RepoName("ada", "lib")


# who


def test_account_of_a_token(hub, ada):
    account = ada.get_account()
    assert (account.login, account.name) == ("ada", "Ada")
    assert account.email == f"{hub.accounts['ada'].id}+ada@users.noreply.127.0.0.1"
    assert ada.kind == "token"


def test_account_of_an_app(hub, lib, connect):
    app = hub.app("helper")
    hub.install(app, "ada", [lib])
    github = connect(hub.app_env(app))
    account = github.get_account(LIB)
    assert account.login == "helper[bot]"
    ident, _, domain = account.email.partition("+")
    assert ident.isdecimal()
    assert ident != str(app.id)
    assert domain.startswith("helper[bot]@users.noreply.")
    assert hub.requests[-1].raw_path.endswith("/users/helper%5Bbot%5D")
    assert github.kind == "app"


@pytest.fixture
def actions(hub, lib, connect):
    """A client with a token minted by an App, like GITHUB_TOKEN in a workflow."""
    app = hub.app("actions")
    hub.install(app, "ada", [lib])
    token = connect(hub.app_env(app)).get_token(LIB)
    return connect({**hub.env(), "GITHUB_TOKEN": token.reveal()})


def test_token_without_user(actions):
    assert actions.get_account() is None
    assert actions.kind == "token"


def test_forbidden_account(hub, ada):
    hub.answer_once("GET */user", 403, "Sorry. Your account was suspended")
    with pytest.raises(AuthError, match="suspended"):
        ada.get_account()


def test_token_has_no_app(ada):
    for call in (lambda: ada.app, ada.list_installations):
        with pytest.raises(UsageError, match="not an App"):
            call()
    assert ada.get_token(LIB).reveal().startswith("ghp_")
    with pytest.raises(AuthError) as failure:
        ada.renew_token(LIB)
    assert "DURSOR_GITHUB_TOKEN" in failure.value.message


def test_revoked_token(hub, connect):
    token = hub.token("ada")
    hub.tokens[token].revoked = True
    with pytest.raises(AuthError) as failure:
        connect(hub.env(token)).get_account()
    assert failure.value.exit_code == 4
    assert token not in failure.value.message


# repositories


def test_list_repos_of_a_user(hub, lib, ada):
    for number in range(120):
        hub.repo(f"ada/r{number:03}")
    hub.repo("bob/shared", roles={"ada": "write"}, private=True)
    hub.repo("bob/hidden", private=True)
    names = [str(entry.name) for entry in ada.list_repos()]
    assert len(names) == 122
    assert {"ada/lib", "bob/shared"} < set(names)
    assert hub.count("GET */user/repos") == 2


def test_list_repos_of_a_token_without_user(hub, actions):
    hub.repo("ada/other", private=True)
    assert [entry.name for entry in actions.list_repos()] == [LIB]


def test_get_repo(hub, lib, ada):
    result = ada.get_repo(LIB)
    assert (result.default_branch, result.private, result.archived) == ("main", True, False)
    assert (result.clone_url, result.html_url) == (f"{hub.url}/ada/lib.git", f"{hub.url}/ada/lib")
    assert (result.is_fork, result.parent, result.can_push) == (False, None, True)


def test_get_fork(hub, connect):
    parent = hub.repo("ada/open", {"a": "1\n"}, default_branch="trunk")
    hub.fork(parent, "bob")
    github = connect(hub.env(hub.token("bob")))
    result = github.get_repo(RepoName("bob", "open"))
    assert result.is_fork
    assert (str(result.parent), result.parent_default_branch) == ("ada/open", "trunk")
    assert github.get_repo(RepoName("ada", "open")).can_push is False


def test_inaccessible_repository_is_not_found(hub, lib, connect):
    github = connect(hub.env(hub.token("eve")))
    for call in (
        lambda: github.get_repo(LIB),
        lambda: list(github.list_branches(LIB)),
        lambda: github.find_branch(LIB, "main"),
        lambda: github.compare(LIB, "main", "main"),
        lambda: github.pulls(LIB).get(1),
    ):
        with pytest.raises(NotFoundError) as failure:
            call()
        assert failure.value.exit_code == 2
        assert "ada/lib" in failure.value.message


@pytest.mark.parametrize(
    "stated",
    ["https://evil.example/ada/lib.git", "{url}/ada/other.git", "http://u:p@127.0.0.1/x", None],
)
def test_foreign_clone_url_is_replaced(hub, lib, ada, stated):
    def lie(request, proceed):
        answer = proceed()
        body = json.loads(answer.body)
        body["clone_url"] = stated and stated.format(url=hub.url)
        return Response(200, json.dumps(body).encode(), answer.headers)

    hub.intercept("GET */repos/ada/lib", lie)
    assert ada.get_repo(LIB).clone_url == f"{hub.url}/ada/lib.git"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("html_url", "javascript:alert(1)"),
        ("html_url", "https://evil.example/ada/lib"),
        ("html_url", "{url}/ada/lib\n"),
        ("html_url", None),
        ("full_name", "../.."),
        ("full_name", "ada"),
        ("full_name", 5),
        ("default_branch", None),
        ("parent", []),
    ],
)
def test_invalid_repository_data(hub, lib, ada, field, value):
    def lie(request, proceed):
        answer = proceed()
        text = value.format(url=hub.url) if isinstance(value, str) else value
        body = json.loads(answer.body) | {field: text}
        return Response(200, json.dumps(body).encode(), answer.headers)

    hub.intercept("GET */repos/ada/lib", lie)
    with pytest.raises(ProviderError):
        ada.get_repo(LIB)


# branches


def test_branch_names_with_special_characters(hub, lib, ada):
    names = ["main", "feature/x", "a#b", "ü", "100%"]
    for name in names[1:]:
        lib.commit(name, {"b": name})
    assert sorted(entry.name for entry in ada.list_branches(LIB)) == sorted(names)
    for name in names:
        result = ada.find_branch(LIB, name)
        assert (result.name, result.commit) == (name, lib.head(name))
    assert ada.find_branch(LIB, "absent/branch") is None


def test_empty_repository(hub, connect):
    hub.repo("ada/empty")
    empty = RepoName("ada", "empty")
    github = connect(hub.env(hub.token("ada")))
    assert list(github.list_branches(empty)) == []
    assert github.find_branch(empty, "main") is None
    assert github.compare(empty, "main", "0" * 40) is None


def test_invalid_commit_id(hub, lib, ada):
    def lie(request, proceed):
        body = b'{"name": "main", "commit": {"sha": "--upload-pack=id"}}'
        return Response(200, body)

    hub.intercept("GET */branches/main", lie)
    with pytest.raises(ProviderError):
        ada.find_branch(LIB, "main")


def test_compare(hub, lib, ada):
    first = lib.head("main")
    topic = lib.commit("topic", {"b": "1\n"})
    second = lib.commit("main", {"c": "1\n"})
    lib.commit("alone", {"d": "1\n"}, orphan=True)
    assert ada.compare(LIB, "main", second) == "identical"
    assert ada.compare(LIB, "main", first) == "behind"
    assert ada.compare(LIB, first, second) == "ahead"
    assert ada.compare(LIB, "main", topic) == "diverged"
    assert ada.compare(LIB, "main", "alone") is None
    assert ada.compare(LIB, "main", "f" * 40) is None
    assert ada.compare(LIB, "absent", first) is None
