import pytest
from hypothesis import given
from hypothesis import strategies as st

from dursor.errors import UsageError
from dursor.github.repo_names import RepoName, parse_remote_url

OWNERS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,38}", fullmatch=True)
NAMES = st.from_regex(r"[A-Za-z0-9._-]{1,60}", fullmatch=True).filter(
    lambda name: name not in {".", ".."} and not name.endswith(".git")
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ada/lib", "ada/lib"),
        ("ada/me.github.io", "ada/me.github.io"),
        ("vercel/next.js", "vercel/next.js"),
        ("https://github.com/ada/lib", "ada/lib"),
        ("https://github.com/ada/lib.git", "ada/lib"),
        ("https://github.com/ada/lib/", "ada/lib"),
        ("https://github.com/ada/me.github.io.git", "ada/me.github.io"),
        ("https://user:pass@github.com/ada/lib.git", "ada/lib"),
        ("https://ghe.example.com:8443/ada/lib.git", "ada/lib"),
        ("git@github.com:ada/lib.git", "ada/lib"),
        ("git@github.com:ada/lib", "ada/lib"),
        ("org-1234@github.com:ada/lib.git", "ada/lib"),
        ("ssh://git@github.com/ada/lib.git", "ada/lib"),
        ("ssh://git@ssh.github.com:443/ada/lib.git", "ada/lib"),
        ("git+ssh://git@github.com/ada/next.js.git", "ada/next.js"),
        ("github.com:ada/.github", "ada/.github"),
        ("enterprise_user/under_score", "enterprise_user/under_score"),
    ],
)
def test_parse(text, name):
    assert str(RepoName.parse(text)) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lib",
        "/lib",
        "ada/",
        "ada/..",
        "ada/lib x",
        "-ada/lib",
        "ada/li\nb",
        "https://github.com/ada",
        "../lib",
        "ada/$(id)",
        "https://[::1/ada/lib",
    ],
)
def test_invalid_names(text):
    with pytest.raises(UsageError):
        RepoName.parse(text)


def test_url_of_a_page_suggests_its_repository():
    with pytest.raises(UsageError) as failure:
        RepoName.parse("https://github.com/ada/lib/pull/3")
    assert failure.value.hint == "did you mean ada/lib?"


@given(OWNERS, NAMES)
def test_every_url_form_gives_the_name(owner, name):
    for form in (
        "{}/{}",
        "https://github.com/{}/{}",
        "https://github.com/{}/{}.git",
        "git@github.com:{}/{}.git",
        "ssh://git@github.com:22/{}/{}",
    ):
        repo = RepoName.parse(form.format(owner, name))
        assert (repo.owner, repo.name) == (owner, name)


@given(OWNERS, NAMES)
def test_names_ignore_case(owner, name):
    name_, other = RepoName(owner, name), RepoName(owner.upper(), name.lower())
    assert name_ == other
    assert hash(name_) == hash(other)


def test_name_differs_from_text():
    assert RepoName("a", "b") != "a/b"


@pytest.mark.parametrize(
    "text", ["/path/to/repo", "file:///path", "C:\\repo", "ada", "ext::sh -c id"]
)
def test_remote_without_host(text):
    assert parse_remote_url(text) is None
