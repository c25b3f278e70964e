import pytest

from dursor.errors import UsageError
from dursor.github.host import GITHUB, GitHubHost
from dursor.github.repo_names import RepoName


@pytest.mark.parametrize(
    ("env", "api", "web"),
    [
        ({}, "https://api.github.com", "https://github.com"),
        ({"GITHUB_API_URL": "", "GH_HOST": ""}, "https://api.github.com", "https://github.com"),
        (
            {"GITHUB_API_URL": "https://ghe.example.com/api/v3/"},
            "https://ghe.example.com/api/v3",
            "https://ghe.example.com",
        ),
        (
            {"GITHUB_API_URL": "ghe.example.com"},
            "https://ghe.example.com/api/v3",
            "https://ghe.example.com",
        ),
        (
            {"GITHUB_SERVER_URL": "https://ghe.example.com"},
            "https://ghe.example.com/api/v3",
            "https://ghe.example.com",
        ),
        (
            {"GH_HOST": "GHE.example.com"},
            "https://ghe.example.com/api/v3",
            "https://ghe.example.com",
        ),
        ({"GH_HOST": "acme.ghe.com"}, "https://api.acme.ghe.com", "https://acme.ghe.com"),
        (
            {"GITHUB_API_URL": "https://api.acme.ghe.com"},
            "https://api.acme.ghe.com",
            "https://acme.ghe.com",
        ),
        (
            {"GITHUB_API_URL": "https://api.github.com"},
            "https://api.github.com",
            "https://github.com",
        ),
        (
            {"GITHUB_SERVER_URL": "https://github.com", "GH_HOST": "other.example.com"},
            "https://api.github.com",
            "https://github.com",
        ),
        (
            {
                "GITHUB_API_URL": "http://127.0.0.1:81/api/v3",
                "GITHUB_SERVER_URL": "http://127.0.0.1:82",
            },
            "http://127.0.0.1:81/api/v3",
            "http://127.0.0.1:82",
        ),
        ({"GITHUB_API_URL": "http://[::1]:81"}, "http://[::1]:81", "http://[::1]:81"),
        (
            {"GITHUB_SERVER_URL": "https://ghe.example.com:8443/"},
            "https://ghe.example.com:8443/api/v3",
            "https://ghe.example.com:8443",
        ),
    ],
)
def test_from_env(env, api, web):
    assert GitHubHost.from_env(env) == GitHubHost(api, web)


@pytest.mark.parametrize(
    "url",
    [
        "http://ghe.example.com/api/v3",
        "https://user:secret@ghe.example.com",
        "https://ghe.example.com?x=1",
        "ftp://ghe.example.com",
        "https://",
        "https://ghe.example.com:port",
        "http://127.0.0.1.evil.example",
        "two words",
    ],
)
@pytest.mark.parametrize("variable", ["GITHUB_API_URL", "GITHUB_SERVER_URL"])
def test_unsafe_url_is_refused_and_not_printed(variable, url):
    with pytest.raises(UsageError) as failure:
        GitHubHost.from_env({variable: url})
    assert variable in failure.value.message
    assert "secret" not in failure.value.message


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://github.com/ada/lib.git", "ada/lib"),
        ("https://github.com:443/ada/lib", "ada/lib"),
        ("https://token@github.com/ada/lib", "ada/lib"),
        ("git@github.com:ada/lib.git", "ada/lib"),
        ("ssh://git@ssh.github.com:443/ada/lib.git", "ada/lib"),
        ("org-5@github.com:ada/lib.git", "ada/lib"),
        ("http://github.com/ada/lib.git", None),
        ("https://github.com.evil.example/ada/lib.git", None),
        ("https://github.com@evil.example/ada/lib.git", None),
        ("https://evil.example/github.com/ada/lib", None),
        ("https://github.com/ada", None),
        ("https://github.com/ada/lib/tree/main", None),
        ("/github.com/ada/lib", None),
        ("https://github.com:8443/ada/lib", None),
    ],
)
def test_parse_repo(url, name):
    repo = GITHUB.parse_repo(url)
    assert (None if repo is None else str(repo)) == name


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("git@github.com:ada/lib.git", "https://api.github.com"),
        ("https://ghe.example.com/ada/lib.git", "https://ghe.example.com/api/v3"),
        ("git@ghe.example.com:ada/lib.git", "https://ghe.example.com/api/v3"),
        ("ssh://git@ghe.example.com:7999/ada/lib.git", "https://ghe.example.com/api/v3"),
        ("https://ghe.example.com:8443/a/b", "https://ghe.example.com:8443/api/v3"),
        ("https://acme.ghe.com/ada/lib", "https://api.acme.ghe.com"),
        ("http://ghe.example.com/ada/lib", "https://ghe.example.com/api/v3"),
        ("http://127.0.0.1:8080/ada/lib", "http://127.0.0.1:8080/api/v3"),
    ],
)
def test_from_remote_url(url, api):
    host = GitHubHost.from_remote_url(url, {})
    assert host is not None
    assert host.api_url == api


@pytest.mark.parametrize("url", ["/srv/lib", "file:///srv/lib", "git@work-alias:ada/lib.git"])
def test_remote_url_without_host(url):
    assert GitHubHost.from_remote_url(url, {}) is None


def test_host_of_the_environment_has_precedence():
    env = {
        "GITHUB_API_URL": "https://proxy.example.com/github",
        "GITHUB_SERVER_URL": "https://ghe.example.com",
    }
    host = GitHubHost.from_remote_url("git@ghe.example.com:ada/lib.git", env)
    assert host == GitHubHost.from_env(env)


def test_clone_url():
    assert GITHUB.clone_url(RepoName("ada", "me.github.io")) == (
        "https://github.com/ada/me.github.io.git"
    )
