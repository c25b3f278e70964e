import json
import time

import jwt
import pytest
from hub.keys import key_pair

from dursor.domain import GitHubAppConfig, Secret
from dursor.errors import AuthError, ConflictError, NotFoundError, ProviderError
from dursor.github.client import GitHub
from dursor.github.clock import Clock
from dursor.github.credentials import find_credentials, secret_name
from dursor.github.host import GitHubHost
from dursor.github.repo_names import RepoName
from dursor.github.token_cache import InstallationToken, TokenCache
from dursor.github.transport import RestResponse

LIB = RepoName("ada", "lib")
MINTS = "POST */access_tokens"


@pytest.fixture
def app(hub, lib):
    """An App that is installed on ada/lib only."""
    created = hub.app()
    hub.install(created, "ada", [lib])
    return created


@pytest.fixture
def helper(hub, app, connect):
    return connect(hub.app_env(app))


def assertions(hub):
    """Return the claims of every assertion that was sent, oldest first."""
    tokens = [r.headers["authorization"].removeprefix("Bearer ") for r in hub.requests]
    return [
        jwt.decode(
            token, key_pair()[1], ["RS256"], options={"verify_exp": False, "verify_iat": False}
        )
        for token in tokens
        if not token.startswith("gh")
    ]


def test_assertion_claims(hub, app, helper):
    before = time.time()
    assert helper.app.slug == "helper"
    (claims,) = assertions(hub)
    assert claims["iss"] == str(app.id)
    assert before - 61 <= claims["iat"] <= time.time() - 60
    assert claims["exp"] - claims["iat"] == 600
    assert claims["exp"] <= time.time() + 541


def test_client_id_instead_of_app_id(hub, app, lib, connect):
    env = {**hub.app_env(app), "DURSOR_GITHUB_APP_ID": app.client_id}
    assert connect(env).get_repo(LIB).name == LIB
    assert assertions(hub)[0]["iss"] == app.client_id


def test_token_has_one_repository_and_minimal_permissions(hub, lib, helper):
    helper.get_token(LIB)
    (minted,) = hub.minted
    assert minted.repos == {lib.id}
    assert minted.permissions == {"contents": "write", "pull_requests": "write", "metadata": "read"}
    assert len(minted.text) > 480
    assert minted.text.count(".") == 2


def test_workflows_permission_only_on_request(hub, lib, connect):
    app = hub.app(
        "able", contents="write", pull_requests="write", metadata="read", workflows="write"
    )
    hub.install(app, "ada")
    github = connect(hub.app_env(app))
    github.get_token(LIB)
    github.get_token(LIB, workflows=True)
    assert ["workflows" in token.permissions for token in hub.minted] == [False, True]


def test_ten_commands_mint_one_token(hub, app, connect):
    env = hub.app_env(app)
    for _ in range(10):
        github = connect(env)
        github.get_repo(LIB)
        list(github.list_branches(LIB))
    assert hub.count(MINTS) == 1
    assert hub.count("GET */installation") == 1


def test_each_repository_has_its_own_token(hub, app, lib, connect):
    hub.repo("ada/other", {"a": "1"}, private=True)
    hub.installations[0].repos = None
    for name in ("lib", "other", "LIB"):
        connect(hub.app_env(app)).get_repo(RepoName("ada", name))
    assert hub.count(MINTS) == 2


def test_token_is_used_for_up_to_59_minutes(hub, app, connect):
    start = time.time()
    for minutes in (0, 30, 58.9, 59.1, 59.2):
        hub.skew = minutes * 60
        connect(hub.app_env(app), clock=lambda m=minutes: start + m * 60).get_repo(LIB)
    assert hub.count(MINTS) == 2


def test_token_is_dropped_a_minute_before_it_expires():
    for remaining, fresh in ((61, True), (59, False), (-5, False)):
        minted = InstallationToken("t", 1000.0, 1000.0 + remaining, 0.0)
        assert minted.is_fresh(Clock(lambda: 1000.0)) is fresh


def test_long_lived_token_is_dropped_after_59_minutes():
    minted = InstallationToken("t", 1000.0, 1000.0 + 8 * 3600, 0.0)
    assert minted.is_fresh(Clock(lambda: 1000.0 + 59 * 60 - 1))
    assert not minted.is_fresh(Clock(lambda: 1000.0 + 59 * 60))


def test_expiry_uses_the_clock_of_github():
    minted = InstallationToken("t", 1000.0, 1000.0 + 300 + 3600, skew=300.0)
    assert minted.is_fresh(Clock(lambda: 1000.0 + 3530)) is True
    assert minted.is_fresh(Clock(lambda: 1000.0 + 3541)) is False
    assert minted.is_fresh(Clock(lambda: 999.0)) is False  # the clock was set back


def test_revoked_token_is_replaced_once(hub, app, connect):
    connect(hub.app_env(app)).get_repo(LIB)
    hub.minted[0].revoked = True
    github = connect(hub.app_env(app))
    assert github.get_repo(LIB).name == LIB
    assert hub.count(MINTS) == 2
    assert connect(hub.app_env(app)).get_token(LIB).reveal() == hub.minted[1].text


def test_permanently_rejected_tokens_end_in_an_error(hub, app, connect, sleeper):
    hub.lag = 10**6
    with pytest.raises(AuthError) as failure:
        connect(hub.app_env(app)).get_repo(LIB)
    assert "Bad credentials" in failure.value.message
    assert hub.count(MINTS) == 1
    assert sum(sleeper.slept) == 6


def test_rejected_token_is_replaced_only_once(hub, app, connect):
    start = [time.time()]
    connect(hub.app_env(app)).get_token(LIB)
    hub.minted[0].revoked, hub.lag = True, 10**6

    def slow(seconds):
        start[0] += 60

    with pytest.raises(AuthError, match="Bad credentials"):
        connect(hub.app_env(app), clock=lambda: start[0], sleep=slow).get_repo(LIB)
    assert hub.count(MINTS) == 2


def test_new_token_is_retried_until_it_is_accepted(hub, app, connect, sleeper):
    hub.lag = 2
    assert connect(hub.app_env(app)).get_repo(LIB).name == LIB
    assert sleeper.slept == [1.0, 2.0]
    assert hub.count(MINTS) == 1


def test_renew_token(hub, app, connect):
    first = connect(hub.app_env(app)).get_token(LIB)
    github = connect(hub.app_env(app))
    assert github.get_token(LIB) == first
    renewed = github.renew_token(LIB)
    assert renewed != first
    assert github.get_token(LIB) == renewed
    assert connect(hub.app_env(app)).get_token(LIB) == renewed


@pytest.mark.parametrize("skew", [-900, -300, 0, 300, 900])
def test_clock_skew(hub, app, connect, skew):
    hub.skew = skew
    github = connect(hub.app_env(app))
    assert github.get_repo(LIB).name == LIB
    assert hub.count(MINTS) <= 2
    late = connect(hub.app_env(app), clock=lambda: time.time() + 3500)
    late.get_repo(LIB)
    assert len([token for token in hub.minted if not token.revoked]) == 1


def test_only_clock_errors_are_retried(hub, app, connect):
    app.key = other_public_key()
    with pytest.raises(AuthError, match="could not be decoded"):
        _ = connect(hub.app_env(app)).app
    assert len(hub.requests) == 1


def other_public_key():
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    form = serialization.PublicFormat.SubjectPublicKeyInfo
    key = rsa.generate_private_key(65537, 2048).public_key()
    return key.public_bytes(serialization.Encoding.PEM, form).decode()


def test_installation_is_found_by_repository(hub, app, connect):
    hub.install(app, "grace")
    connect(hub.app_env(app)).get_token(LIB)
    assert hub.count("GET /api/v3/repos/ada/lib/installation") == 1


def test_configured_installation_is_not_looked_up(hub, app, connect):
    env = hub.app_env(app, hub.installations[0])
    connect(env).get_repo(LIB)
    assert hub.count("GET */installation") == 0


def test_wrong_configured_installation_is_corrected(hub, app, connect):
    other = hub.install(app, "grace")
    connect(hub.app_env(app, other)).get_token(LIB)
    assert hub.minted[-1].installation is hub.installations[0]


def test_installation_without_the_repository(hub, app, connect):
    hub.repo("ada/other", {"a": "1"}, private=True)
    env = hub.app_env(app, hub.installations[0])
    with pytest.raises(AuthError, match="not installed on ada/other"):
        connect(env).get_token(RepoName("ada", "other"))


def test_single_installation_lists_repositories(hub, app, connect):
    assert [repo.name for repo in connect(hub.app_env(app)).list_repos()] == [LIB]
    assert hub.minted[0].permissions == {"metadata": "read"}


def test_several_installations_need_a_choice(hub, app, connect):
    hub.install(app, "grace")
    with pytest.raises(AuthError) as failure:
        list(connect(hub.app_env(app)).list_repos())
    assert "(grace)" in failure.value.message
    assert str(failure.value.hint).startswith("dursor github login --installation-id ")
    chosen = connect(hub.app_env(app, hub.installations[0]))
    assert [repo.name for repo in chosen.list_repos()] == [LIB]


def test_app_without_installation(hub, lib, connect):
    lonely = hub.app("lonely")
    with pytest.raises(AuthError, match="not installed on any account"):
        list(connect(hub.app_env(lonely)).list_repos())
    with pytest.raises(AuthError, match="not installed on ada/lib"):
        connect(hub.app_env(lonely)).get_repo(LIB)


def test_missing_permission_is_named(hub, lib, connect):
    app = hub.app("reader", contents="read", metadata="read")
    hub.install(app, "ada")
    with pytest.raises(AuthError) as failure:
        connect(hub.app_env(app)).get_token(LIB)
    assert "contents: write, pull_requests: write" in failure.value.message


def test_suspended_installation(hub, app, connect):
    hub.installations[0].suspended = True
    with pytest.raises(AuthError, match="suspended"):
        connect(hub.app_env(app)).get_token(LIB)


def test_list_installations(hub, app, helper):
    (installation,) = helper.list_installations()
    assert (installation.id, installation.account) == (str(hub.installations[0].id), "ada")


def test_unknown_app(hub, connect):
    env = {**hub.env(), "DURSOR_GITHUB_APP_ID": "5", "DURSOR_GITHUB_APP_PRIVATE_KEY": key_pair()[0]}
    with pytest.raises(NotFoundError):
        _ = connect(env).app


def test_locked_key_store_costs_only_requests(hub, app, connect, secret_store):
    env = hub.app_env(app)
    secret_store.closed = True
    github = connect(env)
    github.get_repo(LIB)
    github.get_repo(LIB)
    assert hub.count(MINTS) == 1
    connect(env).get_repo(LIB)
    assert hub.count(MINTS) == 2


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"k": 5}', '{"k": {"token": "x"}}', "\x00"])
def test_unreadable_cache_counts_as_empty(hub, app, connect, secret_store, text):
    secret_store.put(secret_name(GitHubHost.from_env(hub.env()), "cache"), Secret(text))
    connect(hub.app_env(app)).get_repo(LIB)
    assert hub.count(MINTS) == 1


def test_cache_is_bounded_and_drops_expired_tokens(secret_store):
    cache = TokenCache(secret_store, "c", Clock(lambda: 5000.0))
    for number in range(40):
        cache.put(f"k{number}", InstallationToken(f"t{number}", 4000.0 + number, 9000.0, 0.0))
    stored = json.loads(secret_store.get("c").reveal())
    assert list(stored) == [f"k{number}" for number in range(20, 40)]
    later = TokenCache(secret_store, "c", Clock(lambda: 9500.0))
    later.put("new", InstallationToken("t", 9500.0, 13000.0, 0.0))
    assert list(json.loads(secret_store.get("c").reveal())) == ["new"]


def test_drop_keeps_a_token_of_another_process(secret_store):
    clock = Clock(lambda: 100.0)
    mine, other = TokenCache(secret_store, "c", clock), TokenCache(secret_store, "c", clock)
    mine.put("k", InstallationToken("old", 100.0, 3700.0, 0.0))
    other.put("k", InstallationToken("new", 100.0, 3700.0, 0.0))
    mine.drop("k", "old")
    assert TokenCache(secret_store, "c", clock).get("k").token == "new"
    mine.drop("k", "new")
    assert TokenCache(secret_store, "c", clock).get("k") is None


def test_unreadable_expiry_time(hub, app, connect):
    def vague(request, proceed):
        answer = proceed()
        body = json.loads(answer.body) | {"expires_at": "soon"}
        return type(answer)(answer.status, json.dumps(body).encode(), answer.headers)

    hub.intercept(MINTS, vague)
    with pytest.raises(ProviderError):
        connect(hub.app_env(app)).get_token(LIB)


def test_other_refusal_to_mint(hub, app, connect):
    hub.answer_once(MINTS, 422, "The repository is on fire")
    with pytest.raises(ConflictError, match="on fire"):
        connect(hub.app_env(app)).get_token(LIB)


def test_without_a_store_a_token_lasts_for_the_process(hub, app):
    env = hub.app_env(app)
    host = GitHubHost.from_env(env)
    with GitHub(host, find_credentials(env, NoStore(), None, host)) as github:
        github.get_token(LIB)
        github.get_token(LIB, workflows=False)
        list(github.list_branches(LIB))
        assert github.renew_token(LIB) != Secret(hub.minted[0].text)
    assert hub.count(MINTS) == 2


class NoStore:
    def get(self, name):
        return None


def test_invalid_key_names_its_source(hub, app, secret_store):
    secret_store.put(
        secret_name(GitHubHost.from_env(hub.env()), "app"), Secret("-----BEGIN nonsense")
    )
    config = GitHubAppConfig(str(app.id), None, "", "")
    host = GitHubHost.from_env(hub.env())
    with GitHub(host, find_credentials(hub.env(), secret_store, config, host)) as github:
        with pytest.raises(AuthError, match="the private key from dursor github login"):
            _ = github.app
        assert hub.requests == []


def test_response_without_date_keeps_the_clock():
    clock = Clock(lambda: 1000.0)
    for headers in ({}, {"date": "yesterday"}, {"date": "Sun, 22 Nov 99999 11:00:00 GMT"}):
        clock.synchronize(RestResponse(401, headers, b"", ""))
    assert clock.skew == 0
    clock.synchronize(RestResponse(401, {"date": "Thu, 01 Jan 1970 00:20:00 GMT"}, b"", ""))
    assert clock.skew == 200
