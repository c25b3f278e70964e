"""Made-up secrets of each vendor's shape, assembled at run time to be no finding of a scanner."""

import random
import string

_RANDOM = random.Random(7)


def random_text(alphabet, length):
    return "".join(_RANDOM.choice(alphabet) for _ in range(length))


ALNUM = string.ascii_letters + string.digits
BASE64 = ALNUM + "+/"
URLSAFE = ALNUM + "-_"
PEM_BODY = "\n".join(random_text(BASE64, 64) for _ in range(10))

VENDOR_SECRETS = {
    "aws id": "AKIA" + random_text(string.ascii_uppercase + "234567", 16),
    "github": "ghp_" + random_text(ALNUM, 36),
    "github app": "ghs_" + random_text(ALNUM, 36),
    "github app, with a web token": ".".join(
        (
            "ghs_123456_eyJ" + random_text(URLSAFE, 33),
            "eyJ" + random_text(URLSAFE, 70),
            random_text(URLSAFE, 342) + "a",
        )
    ),
    "github fine": "github_pat_" + random_text(ALNUM, 22) + "_" + random_text(ALNUM, 59),
    "anthropic": "sk-ant-api03-" + random_text(URLSAFE, 93) + "AA",
    "openai": "sk-" + random_text(ALNUM, 20) + "T3Blbk" + "FJ" + random_text(ALNUM, 20),
    "openai project": "sk-proj-"
    + random_text(URLSAFE, 74)
    + "T3Blbk"
    + "FJ"
    + random_text(URLSAFE, 73)
    + "a",
    "openrouter": "sk-or-v1-" + random_text("0123456789abcdef", 64),
    "google auth key": "AQ.Ab8RN6" + random_text(URLSAFE, 40) + "a",
    "google": "AIza" + random_text(URLSAFE, 34) + "a",
    "slack": "xoxb-"
    + random_text(string.digits, 12)
    + "-"
    + random_text(string.digits, 12)
    + "-"
    + random_text(ALNUM, 24),
    "stripe": "sk_live_" + random_text(ALNUM, 24),
    "npm": "npm_" + random_text(ALNUM, 36),
    "pypi": "pypi-AgEIcHlwaS5vcmc" + random_text(URLSAFE, 80) + "a",
    "hugging face": "hf_" + random_text(string.ascii_letters, 34),
    "vault": "hvs." + random_text(URLSAFE, 89) + "a",
    "gitlab": "glpat-" + random_text(URLSAFE, 19) + "a",
    "jwt": ".".join(
        (
            "eyJ" + random_text(URLSAFE, 33),
            "eyJ" + random_text(URLSAFE, 70),
            random_text(URLSAFE, 42) + "a",
        )
    ),
}
