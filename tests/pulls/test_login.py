"""`dursor github`: who dursor is there, kept in the key store and nowhere else."""

import sys

import leaks
import pexpect
import pytest
from command_line import Outcome
from github_project import GitHubProject
from hub import Hub

PASSPHRASE = {"DURSOR_ENCRYPTION_KEY": "correct horse battery"}


@pytest.fixture
def out(project: GitHubProject) -> GitHubProject:
    """dursor with a key store and without a login."""
    project.cli.extra = project.hub.env() | PASSPHRASE
    return project


def app_words(app_id: int, *words: str) -> list[str]:
    return ["github", "login", "--app-id", str(app_id), "--private-key-file", "-", *words]


def test_not_signed_in(out: GitHubProject):
    status = out.succeed("github", "status")
    assert status == {
        "api_url": out.hub.api_url,
        "kind": None,
        "login": None,
        "app_id": None,
        "installation_id": None,
    }
    output = out.cli("github", "status")
    assert "not signed in" in output.stdout
    assert "hint: dursor github login" in output.stderr
    error = out.fail("github", "repos")
    assert (error["exit"], error["code"]) == (4, "auth")


def test_verified_token_is_stored(out: GitHubProject):
    token = out.hub.token("ada")
    login = out.cli("github", "login", "--token-stdin", "--json", input=f"{token}\n")
    assert login.data == {
        "api_url": out.hub.api_url,
        "kind": "token",
        "login": "ada",
        "app_id": None,
        "installation_id": None,
    }
    status = out("github", "status")
    assert status.data == login.data
    _, pr = out.open_pr()
    assert pr["number"] == 1
    leaks.check(out.cli, login, status, keys=[token])

    bye = out.succeed("github", "logout")
    assert (bye["kind"], out.succeed("github", "status")["kind"]) == (None, None)
    again = out("github", "logout")
    assert "no login was stored for 127.0.0.1" in again.stderr


# pexpect forks to make the terminal; the threads it is warned of are the test's servers
@pytest.mark.filterwarnings("ignore:This process.*multi-threaded:DeprecationWarning")
def test_token_is_typed_without_echo(out: GitHubProject):
    token = out.hub.token("ada")
    child = pexpect.spawn(
        sys.executable,
        ["-m", "dursor", "github", "login"],
        env=out.cli.env,
        cwd=str(out.cli.repo),
        timeout=20,
        encoding="utf-8",
    )
    child.expect_exact("GitHub token: ")
    child.sendline(token)
    child.expect(pexpect.EOF)
    child.close()
    assert (child.exitstatus, token in child.before) == (0, False)
    assert out.succeed("github", "status")["login"] == "ada"


def test_rejected_credentials_are_not_stored(out: GitHubProject):
    for words, message in (
        (["github", "login", "--token-stdin"], "ghp_wrong"),
        (["github", "login", "--token-stdin"], "two words"),
        (app_words(4711), out.hub.private_key),
        (app_words(out.hub.app().id), "-----BEGIN nonsense"),
    ):
        error = out.fail(*words, input=message)
        assert (error["exit"], error["code"]) == (4, "auth"), words
    assert not (out.cli.data / "keys.json").exists()
    assert out.succeed("github", "status")["kind"] is None


def test_app_is_stored_and_finds_its_installation(out: GitHubProject, tmp_path):
    app = out.hub.app("helper")
    installation = out.hub.install(app, "ada", [out.remote])
    file = tmp_path / "key.pem"
    file.write_text(out.hub.private_key)
    words = ("github", "login", "--app-id", str(app.id), "--private-key-file", str(file))

    login = out(*words)

    assert login.data == {
        "api_url": out.hub.api_url,
        "kind": "app",
        "login": "helper[bot]",
        "app_id": str(app.id),
        "installation_id": str(installation.id),
    }
    assert out.succeed("github", "status") == login.data
    assert [item["name"] for item in out.succeed("github", "repos")["items"]] == ["ada/lib"]
    body = "".join(out.hub.private_key.splitlines()[1:3])
    leaks.check(out.cli, login, keys=[body, out.hub.private_key.splitlines()[2]])

    other = out.hub.install(app, "bob")
    assert out.succeed("github", "status")["installation_id"] is None
    error = out.fail("github", "login", "--installation-id", "12")
    assert (error["exit"], error["code"]) == (4, "auth")
    chosen = out.succeed("github", "login", "--installation-id", str(other.id))
    assert chosen["installation_id"] == str(other.id)

    token = out.hub.token("ada")  # whoever signs in takes the App's place
    assert out.succeed("github", "login", "--token-stdin", input=token)["kind"] == "token"
    assert out.succeed("github", "status")["login"] == "ada"
    assert out.succeed(*app_words(app.id), input=out.hub.private_key)["kind"] == "app"
    assert out.succeed("github", "status")["kind"] == "app"
    assert out.succeed("github", "logout")["kind"] is None
    error = out.fail("github", "login", "--installation-id", str(other.id))
    assert error["exit"] in {2, 4}


def test_logout_revokes_installation_tokens(out: GitHubProject):
    app = out.hub.app("helper")
    out.hub.install(app, "ada", [out.remote])
    out.succeed(*app_words(app.id), input=out.hub.private_key)
    out.succeed("github", "branches", "ada/lib")
    out.succeed("github", "repos")
    out.hub.minted[0].revoked = True  # one that has describe_end is no obstacle
    assert out("github", "logout").stderr == ""
    assert [item.revoked for item in out.hub.minted] == [True, True]

    out.succeed(*app_words(app.id), input=out.hub.private_key)
    out.succeed("github", "repos")
    out.hub.answer_once("DELETE *", 503, "down")
    done = out("github", "logout")
    assert (done.exit_code, done.data["kind"]) == (0, None)
    assert "the App's tokens stay valid for up to an hour: " in done.stderr
    assert out.succeed("github", "status")["kind"] is None


def test_app_without_installation_is_stored_with_a_notice(out: GitHubProject):
    app = out.hub.app("helper")
    done = out(*app_words(app.id), input=out.hub.private_key)
    assert (done.exit_code, done.data["installation_id"]) == (0, None)
    assert "the App is not installed on any account" in done.stderr


def test_environment_takes_precedence_with_a_notice(out: GitHubProject):
    token = out.hub.token("ada")
    out.cli.extra["DURSOR_GITHUB_TOKEN"] = out.hub.token("bob")
    done = out("github", "login", "--token-stdin", input=token)
    assert "DURSOR_GITHUB_TOKEN is set and takes precedence over this login" in done.stderr
    assert out.succeed("github", "status")["login"] == "bob"
    status = out("github", "logout")
    assert status.data["kind"] == "token"
    assert "DURSOR_GITHUB_TOKEN is still the login for" in status.stderr


def test_without_a_key_store_nothing_is_stored(out: GitHubProject):
    del out.cli.extra["DURSOR_ENCRYPTION_KEY"]
    error = out.fail("github", "login", "--token-stdin", input=out.hub.token("ada"))
    assert (error["exit"], error["code"]) == (4, "auth")
    assert error["hint"] == "export DURSOR_ENCRYPTION_KEY=PASSPHRASE"


@pytest.mark.parametrize(
    ("words", "input"),
    [
        ((), None),
        (("--token-stdin",), " \n"),
        (("--app-id", "1"), None),
        (("--private-key-file", "-"), None),
        (("--private-key-file", "/no/such/file", "--app-id", "1"), None),
        (("--app-id", "1", "--token-stdin"), None),
        (("--installation-id", "1", "--token-stdin"), None),
    ],
)
def test_options_that_cannot_be_combined(
    out: GitHubProject, words: tuple[str, ...], input: str | None
):
    error = out.fail("github", "login", *words, input=input)
    assert (error["exit"], error["code"]) == (2, "usage")
    assert out.hub.requests == []


def test_repos_and_branches(project: GitHubProject):
    project.hub.repo("ada/secret", {"x": "1\n"}, private=True)
    project.remote.commit("topic", {"x": "1\n"})

    listed = project.succeed("github", "repos")["items"]
    assert listed[0] == {
        "name": "ada/lib",
        "default_branch": "main",
        "private": False,
        "archived": False,
        "url": f"{project.hub.url}/ada/lib",
    }
    assert [item["name"] for item in listed] == ["ada/lib", "ada/secret"]
    assert project.succeed("github", "branches", "ada/lib")["items"] == [
        {"name": name, "commit": project.remote.head(name), "default": name == "main"}
        for name in ("main", "topic")
    ]
    output: Outcome = project.cli("github", "repos")
    assert f"ada/secret  main    private     {project.hub.url}/ada/secret" in output.stdout
    for words, code in (("ada/nothing", "not_found"), ("nothing", "usage")):
        assert project.fail("github", "branches", words)["code"] == code


def test_more_than_a_hundred_branches(project: GitHubProject, hub: Hub):
    head = str(project.remote.head("main"))
    names = "".join(f"create refs/heads/b{number:03} {head}\n" for number in range(120))
    project.remote.git("update-ref", "--stdin", stdin=names.encode())
    assert len(project.succeed("github", "branches", "ada/lib")["items"]) == 121
