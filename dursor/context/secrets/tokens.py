"""Keys and tokens of vendors, known by how they begin.

The shapes follow the vendors' own pages and the rules of gitleaks. Its whole rule set is not used:
read by Python it scans 2 MB/s, a tenth of a second for one large file, and takes checksums and
translations for keys.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG = 20  # letters, digits, - and _ in a row, that every token has at least
LEAD = 8  # characters of a beginning that may stand before them, as in ya29.

_W = r"[A-Za-z0-9_-]"
_DIGIT = rf"(?={_W}{{0,80}}[0-9])"
_MIXED = rf"(?={_W}{{0,80}}[0-9])(?={_W}{{0,80}}[A-Z])(?={_W}{{0,80}}[a-z])"


class TokenShape(NamedTuple):
    """A kind of token: how it begins, and a pattern for the whole of it."""

    name: str
    begins: tuple[str, ...]
    pattern: str


TOKENS = (
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
    ),
    TokenShape(
        "GitHub token", ("github_pat_",), r"github_pat_[A-Za-z0-9]{16,1000}_?[A-Za-z0-9_]{16,255}"
    ),
    TokenShape("Anthropic key", ("sk-ant-",), rf"sk-ant-{_DIGIT}{_W}{{20,255}}"),
    TokenShape(
        "OpenAI key",
        ("sk-",),
        rf"sk-(?!ant-)(?:(?:proj|svcacct|admin|None|service|or-v1)-{_DIGIT}{_W}{{20,1000}}"
        rf"|(?=[A-Za-z]{{0,80}}[0-9])[A-Za-z0-9]{{20,1000}}(?!{_W})|{_MIXED}{_W}{{32,1000}})",
    ),
    TokenShape(
        "Google API key", ("AIza",), rf"(?<![+/])AIza(?:{_W}{{35}}|Sy{_W}{{28,45}})(?!{_W})"
    ),
    TokenShape("Google API key", ("AQ.",), rf"AQ\.{_MIXED}{_W}{{30,1000}}"),
    TokenShape("Google OAuth secret", ("GOCSPX-",), rf"GOCSPX-{_W}{{20,1000}}"),
    TokenShape("Google OAuth token", ("ya29.",), rf"ya29\.{_W}{{30,1000}}"),
    TokenShape("Slack token", ("xox",), rf"xox[a-z]-{_DIGIT}{_W}{{16,1000}}"),
    TokenShape("Slack token", ("xapp-",), rf"xapp-[0-9]-{_W}{{30,1000}}"),
    TokenShape("Stripe key", ("sk_", "rk_"), r"[rs]k_(?:live|test|prod)_[A-Za-z0-9]{10,255}"),
    TokenShape("Stripe key", ("whsec_",), r"whsec_[A-Za-z0-9+/]{24,1000}={0,2}"),
    TokenShape(
        "JSON web token",
        ("eyJ",),
        rf"eyJ{_W}{{10,4000}}\.eyJ{_W}{{10,4000}}\.{_W}{{10,4000}}",
    ),
    TokenShape(
        "JSON web token",
        ("eyJ",),
        rf"eyJ{_W}{{10,4000}}\.{_W}{{0,4000}}(?:\.{_W}{{10,4000}}){{3}}",
    ),
    TokenShape("npm token", ("npm_",), r"npm_[A-Za-z0-9]{36}(?![A-Za-z0-9_])"),
    TokenShape("PyPI token", ("pypi-",), rf"pypi-AgE{_W}{{50,1000}}"),
    TokenShape("RubyGems key", ("rubygems_",), r"rubygems_[a-f0-9]{48}"),
    TokenShape(
        "GitLab token",
        ("gl",),
        rf"gl(?:pat|ptt|dt|rt|soat|ft|agent|cbt|imt|oas)-{_W}{{20,1000}}(?:\.{_W}{{1,1000}}){{0,4}}",
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
        "private key",  # in base64, as clusters keep theirs
        ("LS0tLS1CRUdJTi",),
        r"LS0tLS1CRUdJTi(?=[A-Za-z0-9]{0,40}(?:UFJJVkFUR|BSSVZBVE|QUklWQVRF))[A-Za-z0-9+/]{80,20000}={0,2}",
    ),
    TokenShape("Artifactory key", ("AKCp",), r"AKCp[A-Za-z0-9]{60,1000}"),
)


# How a token begins in base64; of three letters, four are known.
_WRAPPED = {
    b64encode(begin.encode()).decode()[: len(begin) * 4 // 3]
    for token in TOKENS
    for begin in token.begins
    if len(begin) > 2
}
_BASE64 = re.compile(r"[A-Za-z0-9+/]{24,2000}={0,2}")


@cache
def compile_beginnings() -> re.Pattern[str]:
    """How any of TOKENS begins: longest first, where no word goes on, or behind an escape."""
    begins = {begin for token in TOKENS for begin in token.begins} | _WRAPPED
    known = "|".join(map(re.escape, sorted(begins, key=len, reverse=True)))
    return re.compile(rf"(?:(?<![A-Za-z0-9])|(?<=\\[abfnrtv])|(?<=%[0-9A-F]{{2}}))(?:{known})")


@cache
def _tokens(begin: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    """The kinds of token that begin with BEGIN, compiled only now: most texts need none."""
    kinds = (token for token in TOKENS if any(begin.startswith(known) for known in token.begins))
    return tuple((token.name, re.compile(token.pattern)) for token in kinds)


def find_tokens(text: str, start: int, end: int) -> Iterator[tuple[int, int, str]]:
    """Yield where tokens that begin between START and END of TEXT are, and what they are."""
    for begin in compile_beginnings().finditer(text, start, end):
        if begin.start() < start:  # inside of one that is told already
            continue
        if found := _plain(text, begin.start(), begin[0]) or _wrapped(text, begin.start()):
            yield found
            start = found[1]


def _plain(text: str, start: int, begin: str) -> tuple[int, int, str] | None:
    for name, pattern in _tokens(begin):
        if found := pattern.match(text, start):
            return (*found.span(), name)
    return None


def _wrapped(text: str, start: int) -> tuple[int, int, str] | None:
    """Find the token whose base64 begins at START."""
    run = _BASE64.match(text, start)
    if run is None:
        return None
    letters = run[0].rstrip("=")
    letters = letters[:-1] if len(letters) % 4 == 1 else letters
    inner = b64decode(letters + "=" * (-len(letters) % 4)).decode("ascii", "replace")
    begin = compile_beginnings().match(inner)
    found = _plain(inner, 0, begin[0]) if begin else None
    return (*run.span(), found[2]) if found else None
