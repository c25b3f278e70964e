"""A file's bytes as lines of text, and back, byte for byte."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BOM = "\ufeff"
_MULTIBYTE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]")


class Splice(NamedTuple):
    """NEW replaces lines START to END (exclusive, from 0)."""

    start: int
    end: int
    new: tuple[str, ...]


@dataclass(frozen=True)
class FileText:
    """Lines without their ends; `ends` is None when every line ends with `end`."""

    lines: tuple[str, ...]
    end: str = "\n"
    ends: tuple[str, ...] | None = None
    final_newline: bool = True
    bom: str = ""
    codec: str = "utf-8"

    def encode(self) -> bytes:
        """Return the bytes; raises UnicodeEncodeError for a character outside the codec."""
        if self.ends is None:
            text = self.end.join(self.lines) + (
                self.end if self.lines and self.final_newline else ""
            )
        else:
            text = "".join(line + end for line, end in zip(self.lines, self.ends, strict=True))
        errors = "surrogateescape" if self.codec == "utf-8" else "strict"
        return (self.bom + text).encode(self.codec, errors)

    def apply_splices(
        self, splices: Sequence[Splice], *, final_newline: bool | None = None
    ) -> FileText:
        """Apply ascending SPLICES; new lines end as their neighbours do."""
        lines: list[str] = []
        ends: list[str] = []
        index = 0
        for start, stop, new in splices:
            lines += self.lines[index:start]
            lines += new
            if self.ends is not None:
                ends += self.ends[index:start]
                ends += self._choose_ends(start, stop, len(new))
            index = stop
        lines += self.lines[index:]
        newline = self.final_newline if final_newline is None else final_newline
        if self.ends is None:
            return FileText(tuple(lines), self.end, None, newline, self.bom, self.codec)
        ends += self.ends[index:]
        return FileText(
            tuple(lines), self.end, self._close(ends, newline), newline, self.bom, self.codec
        )

    def _choose_ends(self, start: int, stop: int, count: int) -> list[str]:
        """Return an end for each new line: that of the line it replaces, or of the last one."""
        ends = self.ends or ()
        replaced = [end or self.end for end in ends[start:stop]][:count]
        last = replaced[-1] if replaced else ends[start - 1] if start else ends[0] if ends else ""
        return replaced + [last or self.end] * (count - len(replaced))

    def _close(self, ends: list[str], newline: bool) -> tuple[str, ...]:
        """Return ENDS with a final newline only if NEWLINE."""
        closed = [end or self.end for end in ends]
        if closed and not newline:
            closed[-1] = ""
        return tuple(closed)


def decode(data: bytes) -> FileText:
    """Decode DATA as UTF-8 or Latin-1; stray bytes become surrogates."""
    codec = detect_codec(data)
    text = data.decode(codec, "surrogateescape")
    bom = BOM if codec == "utf-8" and text.startswith(BOM) else ""
    text = text[len(bom) :]
    if not text:
        return FileText((), bom=bom, codec=codec)
    breaks, windows = text.count("\n"), text.count("\r\n")
    if not windows:
        end, ends = "\n", None
    elif windows == breaks and "\r\r\n" not in text:
        end, ends = "\r\n", None
    else:
        return _decode_mixed(text, bom, codec, "\r\n" if windows * 2 > breaks else "\n")
    final = text.endswith("\n")
    lines = text.split(end)
    if final:
        lines.pop()
    return FileText(tuple(lines), end, ends, final, bom, codec)


def detect_codec(data: bytes) -> str:
    """Return utf-8, or latin-1 if DATA is not UTF-8 and has no multibyte character."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "utf-8" if _MULTIBYTE.search(data) else "latin-1"
    return "utf-8"


def _decode_mixed(text: str, bom: str, codec: str, end: str) -> FileText:
    lines: list[str] = []
    ends: list[str] = []
    for raw in text.split("\n"):
        line = raw.rstrip("\r")
        lines.append(line)
        ends.append(raw[len(line) :] + "\n")
    final = not raw
    if final:
        lines.pop()
        ends.pop()
    else:
        lines[-1], ends[-1] = raw, ""
    return FileText(tuple(lines), end, tuple(ends), final, bom, codec)


def make_text(lines: Iterable[str], *, final_newline: bool = True) -> FileText:
    r"""Return the text of a new file: UTF-8 with `\n`."""
    return FileText(tuple(lines), final_newline=final_newline)


def split_lines(text: str) -> list[str]:
    r"""Split TEXT after each `\n` and nowhere else."""
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def join_lines(lines: Iterable[str]) -> bytes:
    """Return LINES as bytes."""
    return "".join(lines).encode("utf-8", "surrogateescape")
