"""Observed messages of git and GitHub, and dursor's errors for them."""

import pytest

from dursor.errors import (
    AuthError,
    ConflictError,
    InternalError,
    NetworkError,
    NotFoundError,
    PolicyError,
    ProviderError,
    UsageError,
)
from dursor.vcs.remote.errors import explain_login, explain_push, explain_remote

URL = "https://github.com/ada/lib.git"
REFUSED = "To https://github.com/ada/lib.git\n!\tHEAD:refs/heads/t\t{}\nDone\n"

SAID_BY_GIT = [
    (
        "fatal: could not read Username for 'https://github.com': terminal prompts disabled\n",
        AuthError,
        "the token is not valid",
    ),
    (
        (
            "remote: Invalid username or token. Password authentication is not supported for Git "
            "operations.\nfatal: Authentication failed for 'https://github.com/ada/lib.git/'\n"
        ),
        AuthError,
        "Invalid username or token.",
    ),
    (
        (
            "remote: Permission to ada/lib.git denied to bob.\nfatal: unable to access "
            "'https://github.com/ada/lib.git/': The requested URL returned error: 403\n"
        ),
        AuthError,
        "Permission to ada/lib.git denied to bob.",
    ),
    (
        (
            "remote: The 'acme' organization has enabled or enforced SAML SSO. To access\n"
            "remote: this repository, visit https://github.com/orgs/acme/sso and try again.\n"
            "fatal: unable to access 'x': The requested URL returned error: 403\n"
        ),
        AuthError,
        "visit https://github.com/orgs/acme/sso",
    ),
    (
        (
            "remote: Repository not found.\nfatal: repository 'https://github.com/ada/lib.git/' "
            "not found\n"
        ),
        NotFoundError,
        "cannot read it",
    ),
    (
        (
            "remote: This repository was archived so it is read-only.\nfatal: unable to access 'x': "
            "The requested URL returned error: 403\n"
        ),
        PolicyError,
        "archived",
    ),
    (
        "fatal: unable to access 'x': The requested URL returned error: 301\n",
        NotFoundError,
        "has moved",
    ),
    (
        "fatal: unable to access 'https://github.com/': Could not resolve host: github.com\n",
        NetworkError,
        "Could not resolve host",
    ),
    (
        "fatal: unable to access 'x': The requested URL returned error: 503\n",
        NetworkError,
        "503",
    ),
    ("fatal: the remote end hung up unexpectedly\n", NetworkError, "hung up"),
    ("fatal: transport 'ssh' not allowed\n", UsageError, "rewrites"),
    ("fatal: detected dubious ownership in repository at '/x'\n", UsageError, "does not trust"),
    (
        (
            "fatal: unable to access 'https://github.com/': server certificate verification "
            "failed. CAfile: none CRLfile: none\n"
        ),
        NetworkError,
        "cannot trust the certificate of https://github.com/ada/lib.git",
    ),
    (
        "error: no DAV locking support on https://github.com/\nfatal: git-http-push failed\n",
        ProviderError,
        "not a git server",
    ),
    ("fatal: protocol error: bad line length character: <htm\n", ProviderError, "not a git server"),
    ("fatal: bad line length character: \udcff\udcff\n", ProviderError, "not a git server"),
    ("fatal: invalid ls-refs response: NAK\n", ProviderError, "not a git server"),
    ("error: 44 bytes of body are still expected\n", NetworkError, "cannot reach"),
    ("fatal: expected flush after ref listing\n", NetworkError, "cannot reach"),
    ("fatal: something new\n", InternalError, "something new"),
]


@pytest.mark.parametrize(("stderr", "kind", "part"), SAID_BY_GIT)
def test_failures_with_a_token(stderr, kind, part):
    error = explain_login(stderr, URL)
    assert type(error) is kind
    assert part in error.message
    assert error.hint
    assert error.message.isprintable()


def test_failures_without_a_token():
    login = explain_remote("fatal: could not read Username for 'https://x'\n", URL)
    assert isinstance(login, AuthError)
    assert "is private or does not exist" in login.message
    assert isinstance(explain_remote("fatal: repository 'x' not found\n", URL), NotFoundError)


REASONS = [
    ("[rejected] (stale info)", "", ConflictError, "somebody else"),
    ("[rejected] (fetch first)", "", ConflictError, "somebody else"),
    ("[remote rejected] (already exists)", "", ConflictError, "somebody else"),
    (
        (
            "[remote rejected] (refusing to allow a GitHub App to create or update workflow "
            "`.github/workflows/x.yml` without `workflows` permission)"
        ),
        "",
        AuthError,
        "`.github/workflows/x.yml`",
    ),
    (
        (
            "[remote rejected] (refusing to allow an OAuth App to create or update workflow "
            "`.github/workflows/x.yml` without `workflow` scope)"
        ),
        "",
        AuthError,
        "`workflow` scope",
    ),
    (
        "[remote rejected] (protected branch hook declined)",
        (
            "remote: error: GH006: Protected branch update failed for refs/heads/t.        \n"
            "remote: error: Changes must be made through a pull request.        \n"
        ),
        PolicyError,
        "GH006: Protected branch update failed for refs/heads/t. Changes must be made",
    ),
    (
        "[remote rejected] (push declined due to repository rule violations)",
        (
            "remote: error: GH013: Repository rule violations found for refs/heads/t.        \n"
            "remote: - GITHUB PUSH PROTECTION        \nremote:     - Push cannot contain secrets\n"
        ),
        PolicyError,
        "Push cannot contain secrets",
    ),
    (
        "[remote rejected] (pre-receive hook declined)",
        (
            "remote: error: File big.bin is 123.00 MB; this exceeds GitHub's file size limit of "
            "100.00 MB        \nremote: error: GH001: Large files detected.\n"
        ),
        PolicyError,
        "exceeds GitHub's file size limit",
    ),
    ("[remote rejected] (deny updating a hidden ref)", "", PolicyError, "hidden ref"),
    (
        "[remote rejected] (failed to update ref)",
        "remote: error: cannot lock ref 'refs/heads/t': is at 1f2e but expected 3d4c        \n",
        ConflictError,
        "somebody else pushed",
    ),
    (
        "[remote rejected] (failed to update ref)",
        "remote: error: cannot lock ref 'refs/heads/t/x': 'refs/heads/t' exists; cannot create\n",
        ConflictError,
        "conflicts with the name",
    ),
    ("[remote rejected] (directory file conflict)", "", ConflictError, "conflicts with the name"),
]


@pytest.mark.parametrize(("reason", "stderr", "kind", "part"), REASONS)
def test_rejected_pushes(reason, stderr, kind, part):
    error = explain_push(REFUSED.format(reason), stderr, URL, "t")
    assert type(error) is kind
    assert part in error.message
    assert error.hint


def test_a_push_that_failed_early():
    error = explain_push("", "fatal: unable to access 'x': Connection reset\n", URL, "t")
    assert isinstance(error, NetworkError)


def test_server_messages_are_safe_for_a_terminal():
    stderr = "remote: \x1b[2J\u202eevil\x07 " + "x" * 1000 + "\nfatal: returned error: 403\n"
    error = explain_login(stderr, URL)
    assert error.message.isprintable()
    assert len(error.message) < 600
