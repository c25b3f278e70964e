"""From a request to the vendor and the function that answer it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from dursor.demo.problems import Kind, Problem

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Mapping, Sequence

    from dursor.demo.exchange import Practice, PracticeRequest
    from dursor.demo.http1 import HttpRequest, HttpResponse

KEY_HEADERS = frozenset({"authorization", "x-api-key", "x-goog-api-key"})


@dataclass(frozen=True)
class Call:
    """One request on its way to a function: the models behind it, and what its path named."""

    http: HttpRequest
    practice: Practice
    match: Mapping[str, str]

    def received(self, request: PracticeRequest) -> PracticeRequest:
        """Add the headers REQUEST came with, the key left out."""
        headers = {n: v for n, v in self.http.headers.items() if n not in KEY_HEADERS}
        return replace(request, headers=headers)


@dataclass(frozen=True)
class Route:
    """A method and a path, and what answers them."""

    method: str
    path: re.Pattern[str]
    answer: Callable[[Call], HttpResponse]


class Vendor(Protocol):
    """One vendor's wire format; the modules `wire_*` are these."""

    @property
    def ROUTES(self) -> Sequence[Route]: ...  # noqa: N802  # a constant of a module

    def claims(self, request: HttpRequest) -> bool:
        """Whether REQUEST is meant for this vendor."""
        ...

    def authorize(self, request: HttpRequest, practice: Practice) -> None:
        """Check the key; raises Problem."""
        ...

    def error(self, problem: Problem, request: HttpRequest) -> HttpResponse:
        """Say PROBLEM as this vendor does."""
        ...


def answer(vendor: Vendor, request: HttpRequest, practice: Practice) -> HttpResponse:
    """Let VENDOR answer REQUEST, errors included."""
    try:
        route, match = _find(vendor.ROUTES, request)
        vendor.authorize(request, practice)
        return route.answer(Call(request, practice, match))
    except Problem as problem:
        return vendor.error(problem, request)


def _find(routes: Sequence[Route], request: HttpRequest) -> tuple[Route, Mapping[str, str]]:
    found = [(r, m) for r in routes if (m := r.path.fullmatch(request.path))]
    if not found:
        message = f"Unknown request URL: {request.method} {request.path}."
        raise Problem(Kind.UNKNOWN_PATH, message)
    for route, match in found:
        if route.method == request.method:
            return route, match.groupdict()
    raise Problem(Kind.WRONG_METHOD, f"Not allowed to {request.method} on {request.path}.")
