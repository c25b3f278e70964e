"""Secrets are redacted, and nothing else is changed."""

import base64
import json
import subprocess
import sys
import time
import uuid
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sample_secrets import VENDOR_SECRETS

from dursor.domain import Secret
from dursor.secrets.redact import MARK, MIN_CHARS, Redactor

clean = Redactor().clean
PEM_BODY = "\n".join(["MIIEpAIBAAKCAQEA7bq0V3d1mCw1Zs" * 2] * 6 + ["u8Zq1A=="])
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{PEM_BODY}\n-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiIxMjM0NTYifQ.c2lnbmF0dXJl-_x"
TOKENS = {
    "openai": "sk-proj-Ab3dEf_hIj-lMn0pQrStUvWxYz0123456789abcdefghijklmnop",
    "openai, old": "sk-abcdefghij0123456789T3BlbkFJabcdefghij0123456789",
    "anthropic": "sk-ant-api03-Xy9_Zw8-" + "aB3_dE-6" * 11 + "-AAbbCCdd",
    "google": "AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY",
    "google, new": "AQ.Ab8RN6Jx2y3z4A5b6C7d8E9f0G1h2I3j4K5l6M7n8O9p0Q",
    "google, oauth": "ya29.a0AfH6SMBx1y2z3-aBcDeFgHiJkLmNoP",
    "github, classic": "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "github, oauth": "gho_16C7e42F292c6912E7710c838347Ae178B4a",
    "github, installation": "ghs_16C7e42F292c6912E7710c838347Ae178B4a",
    "github, installation, long": f"ghs_1234567_{JWT}" + "x9_-" * 100,
    "github, fine-grained": "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz0123456789ABCDEFGHIJ",
    "gitlab": "glpat-xY12zAbC34dEfG56hIjK",
    "slack": "xoxb-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx",
    "stripe": "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "jwt": JWT,
    "jwe": "eyJhbGciOiJSU0EifQ.OKOawDo13gRp2ojaHV7LF.48V1_ALb6US04U3b.5eym8TW_c8SuK.XFBoMYUZodetZdvT",
    "aws": "AKIAIOSFODNN7EXAMPLE",
    "private key": PEM,
    "private key, of one line": PEM.replace("\n", "\\n"),
    "private key, indented and quoted": PEM.replace("\n", "\n    > "),
    "private key, in a diff": PEM.replace("\n", "\n+"),
    "private key, cut off": PEM[:200],
    "private key, of openssh": PEM.replace("RSA", "OPENSSH"),
    "private key, encrypted": PEM.replace(
        "KEY-----\nM", "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,3F1C\n\nM", 1
    ),
    "private key, of pgp": PEM.replace("RSA PRIVATE KEY", "PGP PRIVATE KEY BLOCK"),
}


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
@pytest.mark.parametrize(
    "text", ["{}", "key {} is bad", "'{}'", '{{"k":"{}"}}', "(x={}).\nnext", "{}\n"]
)
def test_a_token_is_redacted_completely(text, token):
    assert clean(text.format(token)) == text.format(MARK)


@pytest.mark.parametrize("token", VENDOR_SECRETS.values(), ids=VENDOR_SECRETS)
def test_every_token_that_files_may_not_contain_is_redacted_in_logs(token):
    assert clean(f"key {token} is bad") == f"key {MARK} is bad"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Authorization: Bearer abc123-def.ghi/jkl=", f"Authorization: Bearer {MARK}"),
        ("authorization: basic dXNlcjpwYXNz", f"authorization: basic {MARK}"),
        ('{"Authorization": "Bearer opaquetoken"}', f'{{"Authorization": "Bearer {MARK}"}}'),
        ("sent Bearer 0123456789abcdefXYZ to", f"sent Bearer {MARK} to"),
        ("Basic eDphYmNkZWZnaGlqa2xtbg== failed", f"Basic {MARK} failed"),
        ("x-api-key: 12345678", f"x-api-key: {MARK}"),
        ("X-Goog-Api-Key=abcd1234ef", f"X-Goog-Api-Key={MARK}"),
        ("'private-token': 'abc4efgh'", f"'private-token': '{MARK}'"),
        ("GET /v1?alt=sse&key=abc HTTP", f"GET /v1?alt=sse&key={MARK} HTTP"),
        ("https://h/x?access_token=t.o-k&n=1", f"https://h/x?access_token={MARK}&n=1"),
        ("https://h/?X-Amz-Signature=0a1b&x=1", f"https://h/?X-Amz-Signature={MARK}&x=1"),
        (
            "https://x-access-token:t0k3n@github.com/o/r",
            f"https://x-access-token:{MARK}@github.com/o/r",
        ),
        ("postgres://me:pa55@db:5432/x", f"postgres://me:{MARK}@db:5432/x"),
        (
            "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            f"aws_secret_access_key = {MARK}",
        ),
    ],
)
def test_a_secret_is_recognised_by_its_prefix(text, cleaned):
    assert clean(text) == cleaned


ORDINARY = [
    "commit 3fa1c9e2b07d55aa3fa1c9e2b07d55aa3fa1c9e2 by sha256:" + "9f86d081" * 8,
    f"run {uuid.UUID(int=2**127 + 12345)} of task 7d1f",
    "the bearer of responsibilities; basic understanding, basic authentication/authorization",
    "class AuthenticationTokenRefreshMiddlewareFactory2(BaseAuthenticationTokenProvider):",
    "npm install @scope/some-very-long-package-name-with-many-words --save-dev",
    "risk-assessment-of-the-whole-2026-programme task-management-system-v2-final-final",
    '<div class="sk-folding-cube sk-cube-grid-container-wide">',
    "headers = {'Authorization': f'Bearer {token}', 'x-api-key': self._key}",
    "https://example.com/a/b?page=2&sort=key#token see http://localhost:8080/x@y",
    "curl 'https://h/x?key={KEY}&token=$TOKEN&sig=<signature>'",
    "key = lambda item: item.key; token = next(tokens); password = getpass()",
    "integrity sha512-" + "Ab3/" * 20 + "==",
    "-----BEGIN PRIVATE KEY----- starts such a file, and it is secret.",
    "-----BEGIN PUBLIC KEY-----\n" + PEM_BODY + "\n-----END PUBLIC KEY-----",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4",
    "diff --git a/eyJ.py b/eyJ.py\nindex 8baef1b..3fa1c9e 100644\n@@ -1,2 +1,2 @@",
    "AKIAISNOTAKEYBECAUSEITISFARTOOLONGFORONE ghp_short sk-short-1 AIzaShort",
    "DURSOR_OPENAI_ORG=x tests/test_authorization_bearer_token_parsing_2.py::test_basic_1",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_unchanged(text):
    assert clean(text) == text


secrets = st.text(st.characters(codec="utf-8"), min_size=MIN_CHARS).filter(
    lambda one: len(one.strip()) >= MIN_CHARS
)
keys = st.text(st.sampled_from("abcXYZ0189_-."), min_size=MIN_CHARS, max_size=60)


@given(st.lists(secrets | keys, min_size=1, max_size=3), st.text(), st.text(), st.data())
def test_a_known_secret_never_survives(known, before, after, data):
    redactor = Redactor(data.draw(st.sampled_from([known, [Secret(one) for one in known]])))
    secret = data.draw(st.sampled_from(known)).strip()
    cleaned = redactor.clean(before + secret + after)
    assert not any(one.strip() in cleaned for one in known)
    assert redactor.clean(cleaned) == cleaned


@given(secrets | keys, st.text(), st.text())
def test_a_known_secret_does_not_survive_in_other_spellings(secret, before, after):
    redactor, secret = Redactor([secret]), secret.strip()
    for spelling in (json.dumps(secret)[1:-1], quote(secret, safe="")):
        assert spelling not in redactor.clean(before + spelling + after)


@given(secrets | keys, st.binary(), st.binary())
def test_a_known_secret_does_not_survive_in_base64(secret, before, after):
    redactor, raw = Redactor([secret]), secret.strip().encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        hidden = encode(before + raw + after).decode()
        kept = redactor.clean(f"x {hidden} y").removeprefix("x ").removesuffix(" y").split(MARK)
        # of what is left, no more than an edge of two bytes is the secret's
        assert len("".join(kept)) <= len(encode(before + after)) + 8 - 4 * (before + after == b"")


@given(
    st.text(st.sampled_from("abcXYZ0189_-+/="), min_size=MIN_CHARS, max_size=60),
    st.integers(1, 20),
    st.sampled_from(["\n", "\r\n", "\n    ", "\n> ", "\\\n", "\\n", "\n+ "]),
)
def test_a_known_secret_does_not_survive_line_breaks(secret, width, line_break):
    pieces = [secret[i : i + width] for i in range(0, len(secret), width)]
    assume(secret.strip("-+=") == secret)  # what begins a line as quotes and diffs do is not seen
    cleaned = Redactor([secret]).clean(f"before {line_break.join(pieces)} after")
    assert cleaned == f"before {MARK} after"


def test_lines_of_a_known_key_do_not_survive_alone():
    redactor = Redactor([PEM])
    line = PEM_BODY.splitlines()[0]
    assert redactor.clean(f"at {line} there") == f"at {MARK} there"
    escaped = Redactor([PEM.replace("\n", "\\n")])
    assert escaped.clean(f"at {line} there") == f"at {MARK} there"


def test_short_secrets_are_not_redacted():
    assert Redactor(["ollama", "", "  x  "]).clean("ollama says x") == "ollama says x"


def test_a_secret_that_looks_like_the_mark_is_redacted():
    assert Redactor(["redacted]"]).clean("a redacted] b") == MARK
    assert "redacted] b" not in Redactor(["redacted] b"]).clean("a redacted] b")


pieces = st.sampled_from(
    [*TOKENS.values(), *ORDINARY, "Bearer ", "?key=", "://u:", "@", "\n", " ", "-"]
)


@given(st.lists(pieces | st.text(max_size=5), max_size=6).map("".join), st.booleans())
def test_cleaning_is_idempotent(text, known):
    redactor = Redactor(["16C7e42F292c6912E7710c83"] if known else [])
    cleaned = redactor.clean(text)
    assert redactor.clean(cleaned) == cleaned


HOSTILE = [
    "sk-",
    "eyJ",
    "eyJaaaaaaaa.",
    "ghp_",
    "://a",
    "?key=",
    "Bearer ",
    "\\n",
    "s\n",
    "x-api-key",
    "-",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\nAAAAAAAAAAAAAAAAAAAA",
    "&aaaa",
    "Authorization:\t",
    "aws_secret_key ",
    "AKIA",
    "secret\n",
    "[redacted]",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_time_is_linear(piece):
    redactor = Redactor(["secret" * 5, PEM])

    def seconds(size):
        text = piece * (size // len(piece))
        best = 9.0
        for _ in range(3):
            start = time.process_time()
            redactor.clean(text)
            best = min(best, time.process_time() - start)
        return best

    redactor.clean(piece)
    assert seconds(160_000) < 12 * seconds(20_000) + 0.05


def test_nothing_is_compiled_or_loaded_for_harmless_text():
    code = """
import sys
from dursor.secrets import matches, tokens
from dursor.secrets.redact import Redactor
Redactor(["sk-abcdefgh1234567890"]).clean("resolve: 3 hunks placed")
compiled = matches.compile_pattern.cache_info().currsize
compiled += tokens._compile_beginnings.cache_info().currsize
print(compiled, *{"asyncio", "hashlib", "ssl"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == "0"
