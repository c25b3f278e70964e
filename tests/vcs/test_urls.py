import pytest
from hypothesis import given
from hypothesis import strategies as st

from dursor.errors import UsageError
from dursor.vcs.urls import check_url, derive_name, strip_credentials


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/owner/name.git",
        "https://host:8443/a/b/c",
        "https://[::1]:8443/a",
        "file:///srv/git/r.git",
        "file:///srv/with%20space",
        "file://localhost/srv/r",
        "http://127.0.0.1:8080/r.git",
        "http://localhost/r.git",
        "http://[::1]/r",
        "HTTPS://host/r",
    ],
)
def test_urls_that_can_be_cloned(url):
    assert check_url(url).scheme in {"https", "http", "file"}


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://example.com/r", "plain http"),
        ("http://127.0.0.1.example.com/r", "plain http"),
        ("http://2130706433/r", "plain http"),
        ("https://user:pw@host/r", "credentials"),
        ("https://token@host/r", "credentials"),
        ("http://:@localhost/r", "credentials"),
        ("ssh://git@host/o/r", "ssh"),
        ("git@host:o/r.git", "ssh"),
        ("host:o/r.git", "ssh"),
        ("git://host/r", "cannot clone over git"),
        ("ext::sh", "helper"),
        ("ext://sh", "cannot clone over ext"),
        ("fd::17", "helper"),
        ("transport::https://host/r", "helper"),
        ("ftp://host/r", "ftp"),
        ("javascript://host/r", "javascript"),
        ("-uploadpack", "not a URL"),
        ("--upload-pack=touch x", "not a URL"),
        ("https://host/a b", "not a URL"),
        ("https://host/a\nb", "not a URL"),
        ("https://host/a\\b", "not a URL"),
        ("https://host", "not the URL"),
        ("https:///r", "not the URL"),
        ("https://host/r?x=1", "not the URL"),
        ("https://host/r#x", "not the URL"),
        ("https://host:port/r", "not a URL"),
        ("https://[::1/r", "not a URL"),
        ("file://host/srv/r", "local"),
        ("file:relative", "ssh"),
        ("/some/folder", "not a URL"),
        ("", "not a URL"),
    ],
)
def test_urls_that_cannot_be_cloned(url, why):
    with pytest.raises(UsageError, match=why):
        check_url(url)


def test_ssh_urls_hint_at_https():
    for url in ("git@host:o/r.git", "ssh://git@host/o/r.git"):
        with pytest.raises(UsageError) as caught:
            check_url(url)
        assert caught.value.hint == "dursor repo add https://host/o/r.git"


@given(
    st.text(min_size=6).map(lambda s: "S3cret" + s),
    st.sampled_from(["https", "http", "ftp", "ssh", "x"]),
)
def test_credentials_are_never_printed(secret, scheme):
    url = f"{scheme}://user:{secret.replace('/', '').replace('@', '')}@host/o/r"
    with pytest.raises(UsageError) as caught:
        check_url(url)
    assert "S3cret" not in f"{caught.value.message} {caught.value.hint}"


@given(st.text())
def test_any_text_is_accepted_or_a_one_line_error(text):
    try:
        check_url(text)
    except UsageError as error:
        assert "\n" not in error.message  # noqa: PT017 - acceptance is right as well


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:p@h/r", "https://h/r"),
        ("https://u:p@ss@h/r", "https://h/r"),
        ("https://h/r@1", "https://h/r@1"),
        ("ssh://git@h/r", "ssh://git@h/r"),
        ("ssh://git:p@h/r", "ssh://git@h/r"),
        ("git@h:r", "git@h:r"),
        ("/a/b@c", "/a/b@c"),
    ],
)
def test_credentials_are_removed(url, shown):
    assert strip_credentials(url) == shown


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://host/owner/name.git", "name"),
        ("https://host/me.github.io", "me.github.io"),
        ("https://host/vercel/next.js/", "next.js"),
        ("git@host:o/r.git", "r"),
        ("host:r.git", "r"),
        ("file:///srv/a%20b.git", "a-b"),
        ("file:///srv/..", "repository"),
        ("https://host/.git", "repository"),
        ("https://host/é", "repository"),
        ("https://[/r", "r"),
        ("https://host", "repository"),
    ],
)
def test_derived_name(url, name):
    assert derive_name(url) == name


@given(st.text())
def test_derived_name_is_always_a_plain_file_name(text):
    name = derive_name(text)
    assert name
    assert not set(name) & set("/\\\0")
    assert name not in {".", ".."}
