"""Definitions and imports in source code, found by line patterns.

Parsers would find the ends of blocks better, at a cost of a second of start-up and tens of
megabytes; the beginnings of definitions with their indentation give nearly the same blocks.
In each pattern `kind` is a container (its members are definitions too), `func` a function, `name`
another definition. All are anchored at the beginning of a line and linear in its length.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_MODIFIERS = (
    r"(?:(?:public|private|protected|internal|static|final|abstract|sealed|partial|override|virtual"
    r"|async|synchronized|native|default|readonly|unsafe|extern|open|data|inline|suspend|export"
    r"|declare|implicit|lazy|case|const|fileprivate|mutating|required|companion|inner|operator)"
    r"[ \t]++)"
)

_PYTHON = r"""
    ^[ \t]*(?:class[ \t]+(?P<kind>\w+) | (?:async[ \t]+)?def[ \t]+(?P<func>\w+))
    | ^(?P<name>\w+)[ \t]*(?::[^=\n]*)?=(?!=)
"""
_JAVASCRIPT = (
    r"^[ \t]*(?:(?!const\b)" + _MODIFIERS + r")*+(?:"
    r"(?:class|interface|(?:const[ \t]+)?enum|namespace)[ \t]+(?P<kind>[\w$]+)"
    r"|function[ \t]*+\*?[ \t]*+(?P<func>[\w$]+)"
    r"|type[ \t]+(?P<type>[\w$]+)[ \t]*[=<]"
    r"|(?:const|let|var)[ \t]+(?P<const>[\w$]+)[ \t]*(?::[^=\n]*)?="
    r"[ \t]*+(?:async\b[ \t]*+)?(?:function\b|\([^()\n]*\)[^=\n]*=>|[\w$]+[ \t]*=>)"
    r"|(?:[\w$]+\.)+(?P<member>[\w$]+)[ \t]*=[ \t]*+(?:async\b[ \t]*+)?"
    r"(?:function\b|\([^()\n]*\)[ \t]*=>|[\w$]+[ \t]*=>)"
    r"|(?:get[ \t]+|set[ \t]+)?\*?\#?(?P<method>(?!(?:if|for|while|switch|catch|function|return)\b)"
    r"[\w$]+)[ \t]*\([^()\n]*\)[^;\n{=]*\{[ \t]*$"
    r")|^(?:export[ \t]+)?(?:const|let|var)[ \t]+(?P<name>[\w$]+)"
)
_GO = r"""
    ^func[ \t]+(?:\([^)\n]*\)[ \t]*)?(?P<func>\w+)
    | ^type[ \t]+(?P<type>\w+)
    | ^(?:var|const)[ \t]+(?P<name>\w+)
"""
_RUST = r"""
    ^[ \t]*(?:pub(?:\([^)\n]*\))?[ \t]+)?
    (?:(?:default|const|async|unsafe|extern(?:[ \t]+"[^"\n]*")?)[ \t]+)*
    (?:fn[ \t]+(?P<func>\w+) | (?:trait|mod|union)[ \t]+(?P<kind>\w+)
    | (?:struct|enum|macro_rules!)[ \t]+(?P<type>\w+) | (?:type|static|const)[ \t]+(?P<name>\w+)
    | impl\b[ \t]*(?:<[^\n{]*?>[ \t]+)?(?:[^\n{]{1,120}?[ \t]for[ \t]+)?(?:[\w]+::)*(?P<impl>\w+))
"""
_JAVA = (
    r"^[ \t]*(?:\[[^\]\n]*\][ \t]*)?" + _MODIFIERS + r"*+(?:"
    r"(?:class|interface|enum|record|struct|@interface|namespace|trait|object|protocol|extension"
    r"|impl|mixin)[ \t]+(?P<kind>\w+)"
    r"|(?:fun|func|def)[ \t]+(?:<[^>\n]*>[ \t]*)?(?:\w+\.)?(?P<func>\w+))"
    r"|^[ \t]*" + _MODIFIERS + r"++(?:[\w<>\[\],.?&:]++[ \t]++){0,6}"
    r"(?P<method>\w++)[ \t]*(?:<[^>\n]*>)?\("
)
_C = r"""
    ^[ \t]*(?:typedef[ \t]+)?(?:class|struct|union|enum(?:[ \t]+class)?|namespace)[ \t]+
    (?P<kind>\w++)[^;()\n]*$
    | ^\#[ \t]*define[ \t]+(?P<name>\w+)
    | ^(?=[A-Za-z_])[\w \t*&:<>,~\[\]]{0,160}?\b(?P<func>\w{1,80})[ \t]*\([^;\n]*$
"""
_RUBY = r"""
    ^[ \t]*(?:(?:class|module)[ \t]+(?:\w+::)*(?P<kind>\w+)
    | def[ \t]+(?:self\.)?(?P<func>\w+[?!=]?))
    | ^[ \t]*(?P<name>[A-Z]\w+)[ \t]*=(?!=)
"""
_PHP = (
    r"^[ \t]*" + _MODIFIERS + r"*+(?:(?:class|interface|trait|enum)[ \t]+(?P<kind>\w+)"
    r"|function[ \t]+&?(?P<func>\w+))"
)
_SHELL = r"^[ \t]*(?:function[ \t]+(?P<func>[\w-]+)|(?P<method>[\w-]+)[ \t]*\(\)[ \t]*\{?)"
_PLAIN = r"""
    ^[ \t]*(?:(?:local|private|public)[ \t]+)?
    (?:class|module|function|defmodule|defp?|sub|proc|fn|func)[ \t]+(?P<func>[\w.]+)
"""

_FAMILIES = {
    _PYTHON: "py pyi pyx pxd",
    _JAVASCRIPT: "js jsx mjs cjs ts tsx mts cts vue svelte",
    _GO: "go",
    _RUST: "rs",
    _JAVA: "java cs kt kts swift scala groovy dart",
    _C: "c h cc cpp cxx hpp hh hxx m mm cu",
    _RUBY: "rb rake",
    _PHP: "php",
    _SHELL: "sh bash zsh",
}
_PATTERN = {suffix: text for text, names in _FAMILIES.items() for suffix in names.split()}
_VERBOSE = {_PYTHON, _GO, _RUST, _C, _RUBY, _PLAIN}

_IMPORTS = {
    _PYTHON: r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import\b|import[ \t]+([\w.]+))",
    _JAVASCRIPT: r"(?:\bfrom|\brequire\(|\bimport\(?)[ \t]*['\"]([^'\"\n]{1,200})['\"]",
    _GO: r"^[ \t]*(?:import[ \t]+)?(?:[\w.]+[ \t]+)?\"([^\"\n]{1,200})\"[ \t]*$",
    _RUST: r"^[ \t]*(?:pub[ \t]+)?(?:use[ \t]+([\w:]+)|mod[ \t]+(\w+);)",
    _JAVA: r"^[ \t]*(?:import|using)[ \t]+(?:static[ \t]+)?([\w.]+)",
    _C: r"^[ \t]*\#[ \t]*include[ \t]+[\"<]([^\">\n]{1,200})",
    _RUBY: r"^[ \t]*require(?:_relative)?[ \t(]+['\"]([^'\"\n]{1,200})",
    _PHP: r"^[ \t]*use[ \t]+(?:function[ \t]+)?([\w\\]+)",
}

_ENDING = re.compile(r"\.(?:h|hh|hpp|hxx|[cm]?[jt]sx?|json|vue|svelte|rb)$")


class Definition(NamedTuple):
    """A definition at character `start` of a text."""

    start: int
    name: str
    is_container: bool
    is_block: bool  # a function, method or type, not a single value


@cache
def _compile_definitions(suffix: str) -> re.Pattern[str]:
    text = _PATTERN.get(suffix, _PLAIN)
    return re.compile(text, re.MULTILINE | (re.VERBOSE if text in _VERBOSE else 0))


@cache
def _compile_imports(suffix: str) -> re.Pattern[str] | None:
    text = _IMPORTS.get(_PATTERN.get(suffix, ""))
    return re.compile(text, re.MULTILINE) if text else None


def find_definitions(text: str, suffix: str) -> Iterator[Definition]:
    """Yield the definitions in TEXT, in the language of SUFFIX (`py`), in order."""
    for match in _compile_definitions(suffix).finditer(text):
        kind = match.lastgroup or ""
        yield Definition(match.start(), match[kind], kind in {"kind", "impl"}, kind != "name")


def find_imports(text: str, suffix: str) -> set[str]:
    """Return the keys of the modules that TEXT imports: `core/paginator`."""
    pattern = _compile_imports(suffix)
    if pattern is None:
        return set()
    keys = set()
    for match in pattern.finditer(text):
        module = match[match.lastindex or 0]
        keys.add(make_module_key(re.split(r"[./:\\]+", _ENDING.sub("", module))))
    return keys - {""}


def make_module_key(steps: list[str]) -> str:
    """Return the last two STEPS of a module's path."""
    return "/".join([step for step in steps if step][-2:])
