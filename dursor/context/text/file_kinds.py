"""The kind of a file, by its path: code, tests, documentation, data, third-party code."""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache

from dursor.context.sendable import get_suffix


class FileKind(Enum):
    """The purpose of a file."""

    SOURCE = "source"
    TEST = "test"
    DOCS = "docs"
    DATA = "data"
    FOREIGN = "foreign"  # vendored, generated or minified


_SOURCE = """
    py pyi pyx pxd js jsx mjs cjs ts tsx mts cts vue svelte go rs java kt kts scala groovy cs fs vb
    c h cc cpp cxx hpp hh hxx m mm cu rb rake erb php phtml swift dart lua pl pm r jl ex exs erl hrl
    hs ml mli clj cljs elm nim zig v sol sh bash zsh fish ps1 sql graphql proto html htm tpl jinja
    jinja2 j2 hbs ejs pug haml slim mustache css scss sass less styl tf nix cmake f f90 s asm vim el
    """
_DOCS = "md markdown rst txt adoc asciidoc tex ipynb org pod rdoc"
SOURCE_SUFFIXES = frozenset(_SOURCE.split())
DOCS_SUFFIXES = frozenset(_DOCS.split())
_BUILD = frozenset({"makefile", "gnumakefile", "dockerfile", "rakefile", "gemfile", "justfile"})

_TEST_DIR = (
    r"tests?|testing|__tests__|specs?|e2e|testdata|fixtures|__fixtures__|mocks?|__mocks__"
    r"|integration[-_]tests?|unit[-_]?tests?|test[-_]utils|cypress|testsuite"
)
_TEST = re.compile(
    rf"(?:^|/)(?:{_TEST_DIR})/|(?:^|/)(?:test_[^/]*|conftest|[^/]*_tests?|tests?|[^/]*[._-](?:spec"
    r"|tests?|cy|e2e))\.\w+$"
)
_TEST_CLASS = re.compile(r"(?:Tests?|Spec|IT)\.(?:java|kt|cs|scala|groovy|swift|php)$")
_PACKAGE_TEST = re.compile(
    r".+/(?:test|testing)/(?!.*test_)[^/]+\.py$"
)  # code of a testing package
_DOCS_DIR = re.compile(
    r"(?:^|/)(?:docs?|documentation|changelogs?|changelog\.d|news|man|galleries|tutorials?)/"
)
_FOREIGN = re.compile(
    r"(?:^|/)(?:vendor|vendored|_vendor|third[-_]?party|node_modules|bower_components|externals?"
    r"|extern|site-packages|dist|\.yarn|__snapshots__|__pycache__)/"
    r"|\.min\.|\.pb\.|_pb2(?:_grpc)?\.pyi?$|\.g\.dart$|[._-]generated\.|\.bundle\.|zz_generated"
    r"|(?:^|/)(?:package-lock\.json|npm-shrinkwrap\.json|go\.sum)$|\.(?:lock|map|snap|svg|po|pot)$"
)
SIDELINE = re.compile(
    r"(?:^|/)(?:examples?|demos?|samples?|bench|benchmarks?|asv_bench|scripts?|tools?|hack|ci"
    r"|\.github|migrations?|locales?|i18n|translations?|lang|languages?)/"
)


@lru_cache(maxsize=100_000)
def classify_path(path: str) -> FileKind:
    """Return the kind of the file at PATH."""
    lowered = path.lower()
    ending = get_suffix(lowered)
    if ending in DOCS_SUFFIXES:
        return FileKind.DOCS
    if ending not in SOURCE_SUFFIXES and lowered.rpartition("/")[2] not in _BUILD:
        return FileKind.FOREIGN if _FOREIGN.search(lowered) else FileKind.DATA
    if _FOREIGN.search(lowered):
        return FileKind.FOREIGN
    is_test = _TEST.search(lowered) and not _PACKAGE_TEST.match(lowered)
    if is_test or _TEST_CLASS.search(path):
        return FileKind.TEST
    return FileKind.DOCS if _DOCS_DIR.search(lowered) else FileKind.SOURCE
