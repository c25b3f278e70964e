"""Secrets that are made up, one of each vendor's shape: assembled here, so that no scanner takes them for leaks."""

import random
import string

_RANDOM = random.Random(7)


def made(alphabet, length):
    return "".join(_RANDOM.choice(alphabet) for _ in range(length))


ALNUM = string.ascii_letters + string.digits
BASE64 = ALNUM + "+/"
URLSAFE = ALNUM + "-_"
PEM_BODY = "\n".join(made(BASE64, 64) for _ in range(10))

VENDOR_SECRETS = {
    "aws id": "AKIA" + made(string.ascii_uppercase + "234567", 16),
    "github": "ghp_" + made(ALNUM, 36),
    "github app": "ghs_" + made(ALNUM, 36),
    "github app, with a web token": ".".join(
        ("ghs_123456_eyJ" + made(URLSAFE, 33), "eyJ" + made(URLSAFE, 70), made(URLSAFE, 342) + "a")
    ),
    "github fine": "github_pat_" + made(ALNUM, 22) + "_" + made(ALNUM, 59),
    "anthropic": "sk-ant-api03-" + made(URLSAFE, 93) + "AA",
    "openai": "sk-" + made(ALNUM, 20) + "T3Blbk" + "FJ" + made(ALNUM, 20),
    "openai project": "sk-proj-" + made(URLSAFE, 74) + "T3Blbk" + "FJ" + made(URLSAFE, 73) + "a",
    "openrouter": "sk-or-v1-" + made("0123456789abcdef", 64),
    "google auth key": "AQ.Ab8RN6" + made(URLSAFE, 40) + "a",
    "google": "AIza" + made(URLSAFE, 34) + "a",
    "slack": "xoxb-"
    + made(string.digits, 12)
    + "-"
    + made(string.digits, 12)
    + "-"
    + made(ALNUM, 24),
    "stripe": "sk_live_" + made(ALNUM, 24),
    "npm": "npm_" + made(ALNUM, 36),
    "pypi": "pypi-AgEIcHlwaS5vcmc" + made(URLSAFE, 80) + "a",
    "hugging face": "hf_" + made(string.ascii_letters, 34),
    "vault": "hvs." + made(URLSAFE, 89) + "a",
    "gitlab": "glpat-" + made(URLSAFE, 19) + "a",
    "jwt": ".".join(
        ("eyJ" + made(URLSAFE, 33), "eyJ" + made(URLSAFE, 70), made(URLSAFE, 42) + "a")
    ),
}
