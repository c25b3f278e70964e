"""Secrets are found, and harmless strings are not."""

import hashlib
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_secrets import BASE64, PEM_BODY, URLSAFE, VENDOR_SECRETS, random_text

from dursor.secrets.placeholders import Placeholders
from dursor.secrets.scan import find_secrets


@pytest.mark.parametrize("kind", VENDOR_SECRETS)
@pytest.mark.parametrize("path", ["src/app.py", "tests/fixtures/data.json"])
@pytest.mark.parametrize("line", ['key = "{}"', "key: {}", "curl -H 'Authorization: Bearer {}'"])
def test_a_vendors_secret_is_found_anywhere(kind, path, line):
    secret = VENDOR_SECRETS[kind]
    text = "import os\n" + line.format(secret) + "\n"
    (found,) = find_secrets(text, path)
    assert text[found.start : found.end] == secret


def test_an_encrypted_web_token_with_a_short_header_is_found():
    secret = f"eyJhbGciOiJSU0EifQ.{random_text(URLSAFE, 43)}.{random_text(URLSAFE, 16)}.{random_text(URLSAFE, 20)}.{random_text(URLSAFE, 22)}"
    (found,) = find_secrets(f"token: {secret}\n", "tests/data.txt")
    assert (found.start, found.end) == (7, 7 + len(secret))


def test_an_aws_secret_key_is_found():
    secret = "x7Qp/2LkV9mZ+4tRw8Bn3Yc6Df1Gh5Js0AuEiOqT"
    for line in (f"aws_secret_access_key = {secret}", f'AWS_SECRET_KEY: "{secret}"'):
        (found,) = find_secrets(line + "\n", "config.ini")
        assert line[found.start : found.end] == secret


@pytest.mark.parametrize("kind", ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "])
def test_a_private_key_is_replaced_line_by_line(kind):
    key = f"-----BEGIN {kind}PRIVATE KEY-----\n{PEM_BODY}\n-----END {kind}PRIVATE KEY-----\n"
    placeholders = Placeholders()
    clean, count = placeholders.replace("a\n" + key + "b\n", "tests/key.txt")
    assert count == 1
    assert clean.count("\n") == key.count("\n") + 2
    assert not any(line in clean for line in PEM_BODY.splitlines())
    assert len(placeholders.mapping) == len(PEM_BODY.splitlines())


def test_a_private_key_in_a_json_string_is_replaced():
    body = PEM_BODY.replace("\n", "\\n")
    text = '{"key": "-----BEGIN PRIVATE KEY-----\\n' + body + '\\n-----END PRIVATE KEY-----\\n"}'
    clean, _ = Placeholders().replace(text, "service.json")
    assert not any(line in clean for line in PEM_BODY.splitlines())


@pytest.mark.parametrize(
    "line",
    [
        'password = "{}"',
        "DB_PASSWORD={}",
        "export API_TOKEN={}",
        '"client_secret": "{}",',
        "  secret_key: '{}'",
        "api_key := `{}`",
        "url = 'postgres://admin:{}@db.internal:5432/app'",
        "# SMTP_PASSWORD={}",
        "DB_PASS={} # of production",
        'env = "DB_PASSWORD={}\\nDEBUG=1"',
        '"{{\\"password\\": \\"{}\\"}}"',
        "password: {}",
        "spring.datasource.password={}",
        'dsn = "host=db user=app password={} dbname=x"',
        "connection = 'Server=db;Uid=app;Pwd={};'",
        "<password>{}</password>",
        "Authorization: Bearer {}",
        "redis://:{}@cache:6379/0",
        '#define WIFI_PASSWORD "{}"',
        "mysql --password {} app",
        'auth: {{ user: "app", pass: "{}" }}',
        'PASSWORD = (\n        "{}"\n)',
    ],
)
def test_a_random_value_with_the_name_of_a_secret_is_found(line):
    secret = "Vq7tB2xK9mZ4pL8wR3nY6sD1"
    text = f"a = 1\n{line.format(secret)}\n"
    (found,) = find_secrets(text, "src/settings.py")
    assert text[found.start : found.end] == secret
    assert find_secrets(text, "tests/test_settings.py") == []


@pytest.mark.parametrize(
    "line",
    [
        "DB_PASSWORD=hunter2",
        "PASSWORD=hunter2",
        "postgres://app:s3cr3tP4ss@db.internal/prod",
        "amqp://a:p@ss9x@mq/",
    ],
)
def test_a_weak_password_is_found_where_only_a_password_can_be(line):
    (found,) = find_secrets(f"{line}\n", ".envrc")
    assert line[found.start : found.end] in {"hunter2", "s3cr3tP4ss", "p@ss9x"}


@pytest.mark.parametrize(
    "line", ["api_key: {}", "X-Api-Key: {}", "_authToken={}", "https://a.io/?api_key={}&b=1"]
)
def test_an_unquoted_hexadecimal_secret_is_found(line):
    secret = random_text("0123456789abcdef", 40)
    (found,) = find_secrets(f"{line.format(secret)}\n", "config.yml")
    assert line.format(secret)[found.start : found.end] == secret


@pytest.mark.parametrize("kind", VENDOR_SECRETS)
@pytest.mark.parametrize("line", ['"a\\n{}\\n"', "%20{}%20", "x-{}", "{}."])
def test_a_vendors_secret_is_found_after_escapes(kind, line):
    assert (
        VENDOR_SECRETS[kind]
        not in Placeholders().replace(line.format(VENDOR_SECRETS[kind]), "a")[0]
    )


@pytest.mark.parametrize("kind", ["github", "anthropic", "openai", "aws id", "slack", "npm"])
@pytest.mark.parametrize("path", ["deploy/secret.yaml", "tests/secret.yaml"])
def test_a_vendors_secret_in_base64_is_found(kind, path):
    secret = b64encode(VENDOR_SECRETS[kind].encode()).decode()
    (found,) = find_secrets(f"data:\n  value: {secret}\n", path)
    assert found.end - found.start == len(secret)


@pytest.mark.parametrize(("kind", "count"), [("RSA PRIVATE KEY", 1), ("CERTIFICATE", 0)])
def test_a_private_key_in_base64_is_found(kind, count):
    key = b64encode(f"-----BEGIN {kind}-----\n{PEM_BODY}\n-----END {kind}-----\n".encode()).decode()
    assert len(find_secrets(f"client-data: {key}\n", "kubeconfig")) == count


def test_the_length_of_a_token_is_limited():
    text = f"{VENDOR_SECRETS['gitlab']}.a." * 5000
    assert max(found.end - found.start for found in find_secrets(text, "a.py")) < 10_000


def test_overlapping_secrets_are_masked_to_the_end_of_the_last():
    text = f'password = "{VENDOR_SECRETS["npm"]}:Vq7tB2xK9mZ4pL8w"\n'
    (found,) = find_secrets(text, "settings.py")
    assert text[found.start : found.end].endswith("8w")


def test_a_private_key_without_its_end_is_found():
    text = f"-----BEGIN RSA PRIVATE KEY-----\n{PEM_BODY}\n"
    (found,) = find_secrets(text, "notes.md")
    assert text[found.start : found.end].split() == PEM_BODY.split()


HARMLESS = [
    'password = "correct horse battery"',
    'password = "changeme-please-1"',
    'token = "your-token-goes-here-1"',
    'password = os.environ["APP_PASSWORD_2024"]',
    'api_key = "${{ secrets.API_KEY_V2 }}"',
    f'commit = "{hashlib.sha1(b"x").hexdigest()}"',
    f'sha256 = "{hashlib.sha256(b"x").hexdigest()}"',
    f'token_hash = "{hashlib.sha256(b"y").hexdigest()}"',
    'request_id = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"',
    'secret_id = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"',
    f'  "integrity": "sha512-{random_text(BASE64, 86)}==",',
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_" + "x" * 36,
    "sk-fading-circle-before-animation-delay-one",
    "def reset_password_token_generator_v2(user):",
    'KEY_SEPARATOR = "::"',
    "PRIVATE KEY",
    "token = tokens.next_token_of_kind(3)",
    "    privateKey: IPCEd25519PrivateKey,",
    '"privateKey": "IPCEd25519PrivateKey",',
    "readonly encryptedPassphraseKey: Uint8Array<ArrayBuffer> | null",
    "PASSWORD = 'pbkdf2_sha256$30000$Vo0VlMnkR4Bk$qEvtdyZRWTcOsCnI/oQ7fVOu1XAURIZYoOZ3iq8='",
    "github.com/go-keyring v0.2.6 h1:DRiANoJTiW6obBQe3SqZizkuV1PEgfiiGivmVocDy64=",
    "postgres://postgres:postgres@db:5432/app",
    "https://user:passw0rd@example.com/",
    "hooks.slack.com/services/abc123/defghijklmnopqrstuvwxyz",
    "TOKEN=$(gh auth token)",
    "if token:\n    return X9kf83mKd02mfLs7Q",
    'print("token" "X9kf83mKd02mfLs7Q")',
    "#define TOKEN_LIMIT 0x1f3A5b7C9d",
    "subprocess.run([tool, --password, args.pass_2])",
    f"cache_key: {random_text('0123456789abcdef', 40)}",
    f"bypass {random_text('0123456789abcdef', 40)}",
    b64encode(b"the quick brown fox jumps over the lazy dog").decode(),
    "API_KEY_PATH=/etc/keys/v2/app1.json",
    "Authorization: Bearer YOUR_TOKEN_123456",
    f"data:image/png;base64,{random_text(BASE64, 400)}",
    f"!function(e){{var t={{key:e.token,secret:{random_text(BASE64, 3)}}}}}",
]


@pytest.mark.parametrize("line", HARMLESS)
def test_harmless_text_is_not_a_secret(line):
    assert find_secrets(f"first\n{line}\nlast\n", "src/app.py") == []


@given(st.text(max_size=200), st.sampled_from(sorted(VENDOR_SECRETS)), st.text(max_size=200))
def test_restoring_reverses_replacing(before, kind, after):
    text = f"{before} {VENDOR_SECRETS[kind]} {after}"
    placeholders = Placeholders()
    clean, count = placeholders.replace(text, "a.py")
    assert count >= 1
    assert VENDOR_SECRETS[kind] not in clean
    for name, secret in placeholders.mapping.items():
        clean = clean.replace(name, secret)
    assert clean == text


def test_another_key_gives_other_placeholders():
    secret = VENDOR_SECRETS["github"]
    keys = (lambda: b"1" * 32, lambda: b"2" * 32)
    names = {Placeholders(key).replace(secret, "a")[0] for key in keys}
    assert len(names) == 2
