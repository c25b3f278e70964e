"""A file's bytes as lines of text, and back, byte for byte."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BOM = "\ufeff"
_UTF_8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH = re.compile(rb"[\x80-\xff]+")
_KANA = re.compile("[\u3041-\u30ff]")
_HALF_KANA = re.compile("[\uff61-\uff9f]")
_MULTIBYTE = ("euc_jp", "cp932", "gbk")
_SINGLE_BYTE = ("latin-1", "cp1252")
_RARE_KANJI = frozenset(range(0xD0, 0xD8))  # first bytes of common Chinese characters
_C1 = re.compile(rb"[\x80-\x9f]")


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
        errors = "surrogateescape" if self.codec in {"utf-8", "ascii"} else "strict"
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


def decode(data: bytes, quotes: Sequence[str] = ()) -> FileText:
    """Decode DATA in the encoding that fits it and the lines QUOTES; stray bytes are surrogates."""
    codec = detect_codec(data, quotes)
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


def detect_codec(data: bytes, quotes: Sequence[str] = ()) -> str:
    """Return the encoding of DATA: UTF-8, one that has QUOTES, or a plausible one.

    ASCII stands for an unknown encoding: it cannot hold any other character.
    """
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        known = [codec for codec in (*_MULTIBYTE, *_SINGLE_BYTE) if _fits(data, codec)]
        quotes = [line for line in quotes if not line.isascii()]
        proved = [codec for codec in known if any(x in data.decode(codec) for x in quotes)]
        return proved[0] if proved else _guess_codec(data, known)
    return "utf-8"


def _fits(data: bytes, codec: str) -> bool:
    """Return whether CODEC gives DATA back."""
    try:
        return data.decode(codec).encode(codec) == data
    except UnicodeError:
        return False


def _guess_codec(data: bytes, known: Sequence[str]) -> str:
    """Return the most plausible of the encodings KNOWN to fit DATA.

    Letters with accents stand alone between others. Japanese text has kana, Chinese has none.
    """
    runs = _HIGH.findall(data)
    count = sum(map(len, runs))
    valid = sum(map(len, _UTF_8.findall(data)))
    if 2 * valid > count:
        return "utf-8"
    wide = [codec for codec in known if codec in _MULTIBYTE] if count >= 2 * len(runs) else []
    wide = [codec for codec in wide if not _HALF_KANA.search(data.decode(codec))]
    japanese = [codec for codec in wide if codec != "gbk" and _KANA.search(data.decode(codec))]
    if japanese or len(wide) == 1:
        return (japanese or wide)[0]
    if "gbk" in wide and any(_RARE_KANJI & set(run[::2]) for run in runs):
        return "gbk"
    if valid or wide:
        return "ascii"
    return "cp1252" if _C1.search(data) and "cp1252" in known else "latin-1"


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
