import gzip
import socket

import pytest
from certificates import make_certificate
from hub.wire import Response, reply
from vendors.server import Action, Script, ScriptedServer

from dursor import __version__
from dursor.domain import Secret
from dursor.errors import (
    AuthError,
    ConflictError,
    DeadlineError,
    DursorError,
    NetworkError,
    NotFoundError,
    PolicyError,
    ProviderError,
    RateLimitedError,
    UsageError,
)
from dursor.github import rate_limits, transport
from dursor.github.client import GitHub
from dursor.github.credentials import TokenCredentials
from dursor.github.host import GitHubHost
from dursor.github.repo_names import RepoName
from dursor.github.transport import RestResponse

LIB = RepoName("ada", "lib")
READ = "GET /api/v3/repos/ada/lib"
ASK = {"head": "ada:topic", "base": "main", "title": "T", "body": "B"}


def test_headers_of_every_request(hub, ada):
    ada.get_repo(LIB)
    headers = hub.requests[-1].headers
    assert headers["accept"] == "application/vnd.github+json"
    assert headers["x-github-api-version"] == "2022-11-28"
    assert headers["user-agent"] == f"dursor/{__version__}"
    assert headers["authorization"].startswith("Bearer ghp_")
    assert "cookie" not in headers


# pages


@pytest.mark.parametrize("count", [1, 100, 101, 250])
def test_every_page_is_read(hub, lib, ada, count):
    commit = lib.head("main")
    lines = [f"create refs/heads/b{number} {commit}\n" for number in range(count - 1)]
    lib.git("update-ref", "--stdin", stdin="".join(lines).encode())
    assert len({branch.name for branch in ada.list_branches(LIB)}) == count
    assert hub.count("*/branches") == -(-count // 100)
    assert all("/repositories/" in request.path for request in hub.requests[1:])


@pytest.mark.parametrize("link", ["<http://127.0.0.1:9/x>", "<https://evil.example/x>"])
def test_page_on_another_host_is_refused(hub, ada, link):
    hub.intercept("GET */branches", lambda r, p: reply(200, [], Link=f'{link}; rel="next"'))
    with pytest.raises(ProviderError, match="another host"):
        list(ada.list_branches(LIB))


def test_endless_pages(hub, ada, monkeypatch):
    monkeypatch.setattr("dursor.github.rest.MAX_PAGES", 3)
    again = {
        "Link": f'<{hub.api_url}/repos/ada/lib/branches>; rel="last", <{hub.api_url}/repos/ada/lib/branches?page=2,3>; rel="next"'
    }
    hub.intercept("GET */branches", lambda r, p: reply(200, [], **again), times=9)
    with pytest.raises(ProviderError, match="more than 3 pages"):
        list(ada.list_branches(LIB))
    assert hub.requests[-1].query == {"page": "2,3"}


# redirects


def test_renamed_repository_is_read_and_written(hub, lib, ada):
    lib.commit("topic", {"b": "2\n"})
    hub.rename(lib, "ada/new-name")
    assert str(ada.get_repo(LIB).name) == "ada/new-name"
    created = ada.pulls(LIB).create(**ASK)
    assert created.created
    paths = [request.path for request in hub.requests if request.method == "POST"]
    assert paths[1:] == [f"/api/v3/repositories/{lib.id}/pulls"]


@pytest.mark.parametrize(
    "where", ["http://127.0.0.1:9/x", "https://evil.example/x", "//evil.example/x", ""]
)
def test_token_is_not_sent_to_another_host(hub, ada, where):
    hub.intercept(READ, lambda r, p: Response(301, b"", [("Location", where)]))
    with pytest.raises(ProviderError, match="another host"):
        ada.get_repo(LIB)
    assert len(hub.requests) == 1


def test_circular_redirects(hub, ada):
    hub.intercept(READ, lambda r, p: Response(302, b"", [("Location", "/api/v3/repos/ada/lib")]), 9)
    with pytest.raises(ProviderError, match="in a circle"):
        ada.get_repo(LIB)


# rate limits


def limited(status, message, **headers):
    return reply(status, {"message": message}, **headers)


def test_short_rate_limit_is_waited_for_with_a_notice(hub, lib, connect, sleeper):
    notices = []
    github = connect(hub.env(hub.token("ada")), notify=notices.append)
    reset = str(int(hub.now()) + 20)
    answer = limited(
        403, "API rate limit exceeded for user", X_RateLimit_Remaining="0", X_RateLimit_Reset=reset
    )
    hub.intercept(READ, lambda r, p: answer)
    assert github.get_repo(LIB).name == LIB
    (slept,) = sleeper.slept
    assert 19 <= slept <= 21
    assert notices == [f"GitHub rate limit exceeded, retrying in {int(slept + 0.999)} s"]


def test_long_rate_limit_is_an_error(hub, ada, sleeper):
    reset = str(int(hub.now()) + 2400)
    answer = limited(
        429, "API rate limit exceeded", X_RateLimit_Remaining="0", X_RateLimit_Reset=reset
    )
    hub.intercept(READ, lambda r, p: answer)
    with pytest.raises(RateLimitedError) as failure:
        ada.get_repo(LIB)
    assert failure.value.exit_code == 5
    assert "in 41 min" in str(failure.value.hint) or "in 40 min" in str(failure.value.hint)
    assert sleeper.slept == []


def test_endless_rate_limit_is_an_error(hub, ada, sleeper):
    for headers in (
        {"Retry_After": "9" * 400},
        {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "9" * 400},
    ):
        hub.intercept(READ, lambda r, p, h=headers: limited(429, "API rate limit exceeded", **h))
        with pytest.raises(RateLimitedError):
            ada.get_repo(LIB)
    assert sleeper.slept == []


def test_reset_uses_the_clock_of_github(hub, lib, ada, sleeper):
    hub.skew = -3000
    reset = str(int(hub.now()) + 20)
    hub.intercept(
        READ, lambda r, p: limited(403, "limit", X_RateLimit_Remaining="0", X_RateLimit_Reset=reset)
    )
    ada.get_repo(LIB)
    assert 19 <= sleeper.slept[0] <= 22


def test_total_wait_is_bounded(hub, ada, sleeper):
    answer = limited(403, "You have exceeded a secondary rate limit", Retry_After="40")
    hub.intercept(READ, lambda r, p: answer, times=9)
    with pytest.raises(RateLimitedError):
        ada.get_repo(LIB)
    assert sleeper.slept == [40.0, 40.0]


def test_secondary_limit_without_a_time_is_a_minute(hub, lib, ada, sleeper):
    lib.commit("topic", {"b": "2\n"})
    message = "You have been temporarily blocked from content creation."
    hub.intercept("POST */pulls", lambda r, p: limited(403, message))
    assert ada.pulls(LIB).create(**ASK).created
    assert sleeper.slept == [60.0]


def reply_with(status, body=b"", **headers):
    return RestResponse(status, {k.replace("_", "-"): v for k, v in headers.items()}, body, "")


@pytest.mark.parametrize(
    ("response", "attempt", "seconds"),
    [
        (reply_with(200, x_ratelimit_remaining="0"), 0, None),
        (reply_with(403, b"Resource not accessible by integration"), 0, None),
        (reply_with(403, retry_after="7"), 0, 7.0),
        (reply_with(403, x_ratelimit_remaining="0"), 0, 60.0),
        (reply_with(403, x_ratelimit_remaining="0", x_ratelimit_reset="1030"), 0, 31.0),
        (reply_with(403, x_ratelimit_remaining="0", x_ratelimit_reset="900"), 0, 1.0),
        (reply_with(429, b""), 0, 60.0),
        (reply_with(429, b""), 2, 240.0),
        (reply_with(429, retry_after="soon"), 0, 60.0),
        (reply_with(429, retry_after="9" * 400), 0, rate_limits.MAX_SECONDS),
        (reply_with(500, retry_after="7"), 0, None),
    ],
)
def test_compute_delay(response, attempt, seconds):
    assert rate_limits.compute_delay(response, attempt, now=1000.0) == seconds


# what goes wrong


@pytest.mark.parametrize(
    ("status", "message", "headers", "kind", "part"),
    [
        (401, "Bad credentials", {}, AuthError, "rejected the token from DURSOR_GITHUB_TOKEN"),
        (403, "Resource not accessible by integration", {}, AuthError, "is not allowed to"),
        (
            403,
            "Resource not accessible by personal access token",
            {"X_Accepted_GitHub_Permissions": "contents=read"},
            AuthError,
            "missing permission contents=read",
        ),
        (
            403,
            "Must have admin rights to Repository.",
            {},
            AuthError,
            "not allowed to read ada/lib",
        ),
        (403, "Repository was archived so is read-only.", {}, PolicyError, "archived"),
        (403, "Forbidden", {}, AuthError, "refused to read ada/lib: Forbidden"),
        (404, "Not Found", {}, NotFoundError, "has no access to it"),
        (409, "Git Repository is empty.", {}, ConflictError, "empty"),
        (410, "Issues are disabled", {}, NotFoundError, "disabled"),
        (422, "Invalid request.", {}, ConflictError, "Invalid request"),
        (400, "Problems parsing JSON", {}, UsageError, "Problems"),
        (451, "Repository access blocked", {}, PolicyError, "blocked"),
        (418, "I am a teapot", {}, ProviderError, "teapot"),
    ],
)
def test_error_of_each_status(hub, ada, status, message, headers, kind, part):
    hub.answer_once(READ, status, message, **headers)
    with pytest.raises(kind) as failure:
        ada.get_repo(LIB)
    assert part in failure.value.message
    assert failure.value.hint
    assert "\n" not in failure.value.message


def test_single_sign_on_hint_is_the_page(hub, ada):
    hub.answer_once(
        READ, 403, "Resource protected by organization SAML enforcement.",
        X_GitHub_SSO="required; url=https://github.com/orgs/acme/sso?authorization_request=1",
    )  # fmt: skip
    with pytest.raises(AuthError, match="single sign-on") as failure:
        ada.get_repo(LIB)
    assert failure.value.hint == "open https://github.com/orgs/acme/sso?authorization_request=1"


def test_server_text_is_printable_and_redacted(hub, connect):
    token = hub.token("ada")
    message = f"no \x1b[31m\u202e{token}\n" + "x" * 1000
    hub.intercept(
        READ,
        lambda r, p: reply(
            422, {"message": "m", "errors": [message, {"field": "f", "code": "c"}, 7]}
        ),
    )
    with pytest.raises(ConflictError) as failure:
        connect(hub.env(token)).get_repo(LIB)
    assert failure.value.message.isprintable()
    assert token not in failure.value.message
    assert "[redacted]" in failure.value.message
    assert "f is c" in failure.value.message
    assert len(failure.value.message) < 500


@pytest.mark.parametrize(
    "body", [b"<html>", b"", b"\xff", b"[" * 100_000, b'{"id": 1}', b"[]", b"null"]
)
def test_invalid_bodies(hub, ada, body):
    hub.intercept(READ, lambda r, p: Response(200, body))
    with pytest.raises(ProviderError):
        ada.get_repo(LIB)
    hub.intercept(READ, lambda r, p: Response(422, body))
    with pytest.raises(ConflictError):
        ada.get_repo(LIB)


def test_compressed_body(hub, lib, ada):
    def packed(request, proceed):
        answer = proceed()
        headers = [*answer.headers, ("Content-Encoding", "gzip")]
        return Response(200, gzip.compress(answer.body), headers)

    hub.intercept(READ, packed)
    assert ada.get_repo(LIB).name == LIB
    hub.intercept(READ, lambda r, p: Response(200, b"plain", [("Content-Encoding", "gzip")]))
    with pytest.raises(ProviderError, match="decoded"):
        ada.get_repo(LIB)


def test_oversized_body(hub, ada, monkeypatch):
    monkeypatch.setattr(transport, "MAX_BYTES", 1 << 16)
    hub.intercept(READ, lambda r, p: Response(200, b" " * (1 << 20)))
    with pytest.raises(ProviderError, match="MiB"):
        ada.get_repo(LIB)


def test_reads_are_retried_after_server_errors(hub, lib, ada, sleeper):
    hub.answer_once(READ, 502, "Server Error")
    hub.intercept(READ, lambda r, p: None)
    assert ada.get_repo(LIB).name == LIB
    assert len(sleeper.slept) == 2
    hub.intercept(READ, lambda r, p: reply(503, {}), times=9)
    with pytest.raises(ProviderError, match="status 503"):
        ada.get_repo(LIB)


def test_writes_are_not_repeated_once_sent(hub, lib, ada, sleeper):
    lib.commit("topic", {"b": "2\n"})
    hub.answer_once("POST */pulls", 502, "Server Error")
    with pytest.raises(ProviderError):
        ada.pulls(LIB).create(**ASK)
    hub.intercept("POST */pulls", lambda r, p: None)
    with pytest.raises(NetworkError):
        ada.pulls(LIB).create(**ASK)
    assert hub.count("POST */pulls") == 2
    assert sleeper.slept == []


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def alone(port, sleeper):
    url = f"http://127.0.0.1:{port}"
    return GitHub(GitHubHost(url, url), TokenCredentials(Secret("t"), "X"), sleep=sleeper)


def test_connection_refused(sleeper):
    with alone(closed_port(), sleeper) as github, pytest.raises(NetworkError) as failure:
        github.pulls(LIB).create(**ASK)
    assert failure.value.exit_code == 5
    assert "cannot connect to 127.0.0.1:" in failure.value.message
    assert len(sleeper.slept) == 2  # what was never sent may be sent again


def test_response_timeout(sleeper, monkeypatch):
    monkeypatch.setattr(transport, "READ_SECONDS", 0.2)
    with ScriptedServer() as server:
        server.script("/repos", Script([Action.HOLD], headers={}))
        with alone(server.port, sleeper) as github, pytest.raises(DeadlineError):
            github.get_repo(LIB)


def test_response_is_not_http(sleeper):
    with ScriptedServer() as server:
        server.script("/repos", Script([b"SSH-2.0-OpenSSH\r\n"], framing="raw"))
        with alone(server.port, sleeper) as github, pytest.raises(NetworkError):
            github.get_repo(LIB)


def test_certificates(sleeper, monkeypatch, tmp_path):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    public, context = make_certificate(tmp_path)
    with ScriptedServer(context) as server:
        login = TokenCredentials(Secret("t"), "X")
        with GitHub(GitHubHost(server.url, server.url), login, sleep=sleeper) as github:
            with pytest.raises(NetworkError, match=r"cannot trust .*: self-signed") as failure:
                github.get_repo(LIB)
            assert "SSL_CERT_FILE" in failure.value.hint
        assert (server.requests, sleeper.slept) == ([], [])
        monkeypatch.setenv("SSL_CERT_FILE", str(public))
        server.script("/repos", Script([b"[]"], 404, {}, "length"))
        with (
            GitHub(GitHubHost(server.url, server.url), login, sleep=sleeper) as github,
            pytest.raises(NotFoundError),
        ):
            github.get_repo(LIB)


def test_slow_body(sleeper, monkeypatch):
    monkeypatch.setattr(transport, "TOTAL_SECONDS", 0.0)
    with ScriptedServer() as server:
        server.script("/repos", Script([b" ", Action.HOLD], headers={}))
        with alone(server.port, sleeper) as github, pytest.raises(DeadlineError, match="took more"):
            github.get_repo(LIB)


def test_loopback_ignores_proxies(hub, lib, ada, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert ada.get_repo(LIB).name == LIB


@pytest.mark.parametrize("proxy", ["socks9://x:1", "http://[::1"])
def test_invalid_proxy(monkeypatch, sleeper, proxy):
    monkeypatch.setenv("ALL_PROXY", proxy)
    github = GitHub(GitHubHost.from_env({}), TokenCredentials(Secret("t"), "X"), sleep=sleeper)
    with github, pytest.raises(UsageError, match="proxy"):
        github.get_repo(LIB)


def test_unreachable_proxy(monkeypatch, sleeper):
    monkeypatch.setenv("HTTPS_PROXY", f"http://u:hunter2@127.0.0.1:{closed_port()}")
    github = GitHub(GitHubHost.from_env({}), TokenCredentials(Secret("t"), "X"), sleep=sleeper)
    with github, pytest.raises(NetworkError) as failure:
        github.get_repo(LIB)
    assert failure.value.hint == "try again, or check the proxy in HTTPS_PROXY"
    assert "hunter2" not in failure.value.message


def test_unreadable_certificates(monkeypatch, sleeper, tmp_path):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "absent.pem"))
    github = GitHub(GitHubHost.from_env({}), TokenCredentials(Secret("t"), "X"), sleep=sleeper)
    with github, pytest.raises(NetworkError, match="certificates"):
        github.get_repo(LIB)


def test_every_error_has_code_and_hint(hub, ada):
    for status in (400, 401, 403, 404, 409, 410, 418, 422, 451):
        hub.answer_once(READ, status, "m")
        with pytest.raises(DursorError) as failure:
            ada.get_repo(LIB)
        assert failure.value.hint
        assert failure.value.exit_code in {2, 4, 5, 7, 8}
