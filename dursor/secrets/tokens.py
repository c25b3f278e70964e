"""Keys and tokens of vendors, recognised by their beginnings.

The shapes follow the vendors' documentation and the rules of gitleaks. Its whole rule set is not
used: in Python it scans 2 MB/s, a tenth of a second for a large file, and reports checksums and
translations as keys.
"""

from __future__ import annotations

import re
import string
from base64 import b64decode, b64encode
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from dursor.secrets.matches import SecretMatch, compile_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN_CHARS = f"{string.ascii_letters}{string.digits}_-".encode()
_CHAR_CLASSES = bytes(97 if char in _TOKEN_CHARS else 32 for char in range(256))
_RUN = b"a" * 20  # every token holds so many token characters in a row
_LEAD = 24  # characters of a token before its first run: `ya29.`, a short JWT header

_W = r"[A-Za-z0-9_-]"
_DIGIT = rf"(?={_W}{{0,80}}[0-9])"
_MIXED = rf"(?={_W}{{0,80}}[0-9])(?={_W}{{0,80}}[A-Z])(?={_W}{{0,80}}[a-z])"
_LOOSE_SK = rf"sk-{_DIGIT}{_W}{{20,}}"


class TokenShape(NamedTuple):
    """A kind of token: its beginnings, and a pattern for all of it.

    `loose` also matches truncated tokens and dummies, for logs, where a false match does no harm.
    """

    name: str
    begins: tuple[str, ...]
    pattern: str
    loose: str = ""


TOKEN_SHAPES = (
    TokenShape(
        "AWS access key", ("AKIA", "ASIA", "ABIA", "ACCA"), r"A[A-Z]{3}[A-Z0-9]{16}(?![A-Za-z0-9])"
    ),
    TokenShape("AWS Bedrock key", ("ABSK",), r"ABSK[A-Za-z0-9+/]{90,280}={0,2}"),
    TokenShape(
        "GitHub token",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
        # ghs_APPID_JWT, or the older kind
        r"gh[pousr]_(?:[A-Za-z0-9]{30,255}(?![A-Za-z0-9])(?!_[A-Za-z0-9])"
        rf"|[A-Za-z0-9]{{1,20}}_eyJ{_W}{{1,1000}}(?:\.{_W}{{1,1000}}){{0,4}})",
        rf"gh[pousr]_{_DIGIT}{_W}{{16,}}(?:\.{_W}+)*",
    ),
    TokenShape(
        "GitHub token",
        ("github_pat_",),
        r"github_pat_[A-Za-z0-9]{16,1000}_?[A-Za-z0-9_]{16,255}",
        r"github_pat_[A-Za-z0-9_]{20,}",
    ),
    TokenShape("Anthropic key", ("sk-ant-",), rf"sk-ant-{_DIGIT}{_W}{{20,255}}", _LOOSE_SK),
    TokenShape(
        "OpenAI key",
        ("sk-",),
        rf"sk-(?!ant-)(?:(?:proj|svcacct|admin|None|service|or-v1)-{_DIGIT}{_W}{{20,1000}}"
        rf"|(?=[A-Za-z]{{0,80}}[0-9])[A-Za-z0-9]{{20,1000}}(?!{_W})|{_MIXED}{_W}{{32,1000}})",
        _LOOSE_SK,
    ),
    TokenShape(
        "Google API key",
        ("AIza",),
        rf"(?<![+/])AIza(?:{_W}{{35}}|Sy{_W}{{28,45}})(?!{_W})",
        rf"AIza{_W}{{30,}}",
    ),
    TokenShape(
        "Google API key", ("AQ.",), rf"AQ\.{_MIXED}{_W}{{30,1000}}", rf"AQ\.{_DIGIT}{_W}{{30,}}"
    ),
    TokenShape("Google OAuth secret", ("GOCSPX-",), rf"GOCSPX-{_W}{{20,1000}}"),
    TokenShape("Google OAuth token", ("ya29.",), rf"ya29\.{_W}{{30,1000}}", rf"ya29\.{_W}{{20,}}"),
    TokenShape("Slack token", ("xox",), rf"xox[a-z]-{_DIGIT}{_W}{{16,}}"),
    TokenShape("Slack token", ("xapp-",), rf"xapp-[0-9]-{_W}{{30,1000}}"),
    TokenShape(
        "Stripe key",
        ("sk_", "rk_"),
        r"[rs]k_(?:live|test|prod)_[A-Za-z0-9]{10,255}",
        rf"[rs]k_(?:live|test|prod)_{_DIGIT}{_W}{{10,}}",
    ),
    TokenShape("Stripe key", ("whsec_",), r"whsec_[A-Za-z0-9+/]{24,1000}={0,2}"),
    TokenShape(
        "JSON web token",
        ("eyJ",),
        rf"eyJ{_W}{{10,4000}}\.(?:eyJ{_W}{{10,4000}}\.{_W}{{10,4000}}"
        rf"|{_W}{{0,4000}}(?:\.{_W}{{10,4000}}){{3}})",
        rf"(?<!{_W})eyJ{_W}{{8,}}(?:\.{_W}*){{2,4}}",
    ),
    TokenShape("npm token", ("npm_",), r"npm_[A-Za-z0-9]{36}(?![A-Za-z0-9_])"),
    TokenShape("PyPI token", ("pypi-",), rf"pypi-AgE{_W}{{50,1000}}"),
    TokenShape("RubyGems key", ("rubygems_",), r"rubygems_[a-f0-9]{48}"),
    TokenShape(
        "GitLab token",
        ("gl",),
        rf"gl(?:pat|ptt|dt|rt|soat|ft|agent|cbt|imt|oas)-{_W}{{20,1000}}(?:\.{_W}{{1,1000}}){{0,4}}",
        rf"gl(?:pat|ptt|dt|rt|soat|ft|agent|cbt|imt|oas)-{_W}{{16,}}(?:\.{_W}+)*",
    ),
    TokenShape("Hugging Face token", ("hf_",), rf"hf_[A-Za-z0-9]{{34,1000}}(?!{_W})"),
    TokenShape("SendGrid key", ("SG.",), rf"SG\.{_W}{{16,32}}\.{_W}{{32,64}}"),
    TokenShape("DigitalOcean token", ("dop_v1_", "doo_v1_", "dor_v1_"), r"do[opr]_v1_[a-f0-9]{64}"),
    TokenShape("Docker token", ("dckr_",), rf"dckr_[po]at_{_W}{{20,1000}}"),
    TokenShape("Shopify token", ("shp",), r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    TokenShape("Square token", ("sq0",), rf"sq0[a-z]{{3}}-{_W}{{22,1000}}"),
    TokenShape("Twilio key", ("SK",), rf"SK[0-9a-f]{{32}}(?!{_W})"),
    TokenShape("Linear key", ("lin_",), r"lin_(?:api|oauth)_[A-Za-z0-9]{32,1000}"),
    TokenShape("Notion token", ("ntn_",), r"ntn_[A-Za-z0-9]{40,1000}"),
    TokenShape(
        "Doppler token",
        ("dp.",),
        r"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{1,80}\.)?[A-Za-z0-9]{40,1000}",
    ),
    TokenShape("Vault token", ("hvs.", "hvb.", "hvr."), rf"hv[sbr]\.{_W}{{24,1000}}"),
    TokenShape("age key", ("AGE-SECRET-KEY-1",), r"AGE-SECRET-KEY-1[A-Z0-9]{50,1000}"),
    TokenShape(
        "Atlassian token", ("ATATT", "ATCTT"), rf"AT[AC]TT3{_W}{{60,1000}}(?:=[0-9A-F]{{8}})?"
    ),
    TokenShape("Grafana token", ("glc_", "glsa_"), r"gl(?:c|sa)_[A-Za-z0-9+/_]{32,1000}={0,2}"),
    TokenShape("New Relic key", ("NRAK-",), r"NRAK-[A-Z0-9]{27}"),
    TokenShape("Databricks token", ("dapi",), rf"dapi[a-f0-9]{{32}}(?:-[0-9])?(?!{_W})"),
    TokenShape("Postman key", ("PMAK-",), r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}"),
    TokenShape("PlanetScale token", ("pscale_",), r"pscale_(?:tkn|pw|oauth)_[\w.=-]{32,1000}"),
    TokenShape("Pulumi token", ("pul-",), r"pul-[a-f0-9]{40}"),
    TokenShape("Sentry token", ("sntrys_", "sntryu_"), r"sntry[su]_[A-Za-z0-9+/=_]{40,1000}"),
    TokenShape("Groq key", ("gsk_",), r"gsk_[A-Za-z0-9]{40,1000}"),
    TokenShape("xAI key", ("xai-",), r"xai-[A-Za-z0-9]{40,1000}"),
    TokenShape("Perplexity key", ("pplx-",), r"pplx-[A-Za-z0-9]{40,1000}"),
    TokenShape("Replicate token", ("r8_",), r"r8_[A-Za-z0-9]{37}"),
    TokenShape("Tailscale key", ("tskey-",), rf"tskey-[a-z]{{1,20}}-{_W}{{16,1000}}"),
    TokenShape("Brevo key", ("xkeysib-",), rf"xkeysib-[a-f0-9]{{64}}-{_W}{{16}}"),
    TokenShape("Dropbox token", ("sl.",), rf"sl\.(?:u\.)?{_W}{{100,1000}}"),
    TokenShape("Figma token", ("figd_",), rf"figd_{_W}{{30,1000}}"),
    TokenShape("LangSmith key", ("lsv2_",), r"lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}"),
    TokenShape("Supabase key", ("sbp_", "sb_secret_"), rf"sb(?:p|_secret)_{_W}{{30,1000}}"),
    TokenShape("Netlify token", ("nfp_",), r"nfp_[A-Za-z0-9]{36,1000}"),
    TokenShape("1Password token", ("ops_eyJ",), r"ops_eyJ[A-Za-z0-9+/=]{100,1000}"),
    TokenShape("Alibaba access key", ("LTAI",), rf"LTAI{_DIGIT}[A-Za-z0-9]{{16,22}}(?!{_W})"),
    TokenShape("Mailgun key", ("key-",), rf"key-[a-f0-9]{{32}}(?!{_W})"),
    TokenShape(
        "private key",  # in Base64, as in Kubernetes secrets
        ("LS0tLS1CRUdJTi",),
        r"LS0tLS1CRUdJTi(?=[A-Za-z0-9]{0,40}(?:UFJJVkFUR|BSSVZBVE|QUklWQVRF))[A-Za-z0-9+/]{80,20000}={0,2}",
    ),
    TokenShape("Artifactory key", ("AKCp",), r"AKCp[A-Za-z0-9]{60,1000}"),
)


_BASE64 = r"[A-Za-z0-9+/]{24,2000}={0,2}"


def find_tokens(text: str, *, loose: bool = False) -> Iterator[SecretMatch]:
    """Yield the tokens in TEXT, in order, without overlaps."""
    classes = text.encode("ascii", "replace").translate(_CHAR_CLASSES)  # a byte per character
    start, last = classes.find(_RUN), 0
    while start >= 0:
        end = classes.find(b" ", start)
        end = len(classes) if end < 0 else end
        for match in _find_between(text, max(last, start - _LEAD), end, loose=loose):
            last = match.end
            yield match
        start = classes.find(_RUN, max(end, last))


def _find_between(text: str, start: int, end: int, *, loose: bool) -> Iterator[SecretMatch]:
    """Yield the tokens that begin between START and END of TEXT."""
    for begin in _compile_beginnings().finditer(text, start, end):
        if begin.start() < start:  # inside the previous token
            continue
        match = _match_token(text, begin, loose=loose) or _match_base64(text, begin.start())
        if match:
            yield match
            start = match.end


@cache
def _compile_beginnings() -> re.Pattern[str]:
    """Compile the beginnings of all tokens, plain and in Base64, longest first.

    One counts where no word goes on, or after an escape sequence.
    """
    plain = {begin for shape in TOKEN_SHAPES for begin in shape.begins}
    # Three characters determine four of their Base64.
    encoded = {
        b64encode(begin.encode()).decode()[: len(begin) * 4 // 3]
        for begin in plain
        if len(begin) > 2
    }
    groups = groupby(sorted(plain | encoded), key=itemgetter(0))  # thrice as fast to match
    known = "|".join(
        f"{first}(?:{'|'.join(re.escape(begin[1:]) for begin in sorted(group, key=len)[::-1])})"
        for first, group in groups
    )
    return re.compile(rf"(?:(?<![A-Za-z0-9])|(?<=\\[abfnrtv])|(?<=%[0-9A-F]{{2}}))(?:{known})")


def _match_token(text: str, begin: re.Match[str], *, loose: bool) -> SecretMatch | None:
    for shape in TOKEN_SHAPES:
        if begin[0].startswith(shape.begins):
            pattern = (loose and shape.loose) or shape.pattern
            if match := compile_pattern(pattern).match(text, begin.start()):
                return SecretMatch(*match.span(), shape.name)
    return None


def _match_base64(text: str, start: int) -> SecretMatch | None:
    """Match a token encoded in Base64 at START of TEXT."""
    run = compile_pattern(_BASE64).match(text, start)
    if run is None:
        return None
    letters = run[0].rstrip("=")
    letters = letters[:-1] if len(letters) % 4 == 1 else letters
    inner = b64decode(letters + "=" * (-len(letters) % 4)).decode("ascii", "replace")
    begin = _compile_beginnings().match(inner)
    match = _match_token(inner, begin, loose=False) if begin else None
    return SecretMatch(*run.span(), match.rule) if match else None
