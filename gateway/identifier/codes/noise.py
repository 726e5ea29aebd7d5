"""What scanners, keyboards and copying add to a code, taken away again. Pure."""

import re
from dataclasses import dataclass

_WIDE = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {0x3000: " ", 0x3002: "."}
_UNSEEN = dict.fromkeys(
    (0xAD, 0x61C, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF)
)
"""Without width, or only saying which way to read, as some dialogs add when text is copied."""
_DASHES = dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2212), "-")
_AIM = re.compile(r"\][A-Za-z][0-9A-Za-z]", re.ASCII)
_GS1_SYMBOLS = frozenset({"]C1", "]e0", "]e1", "]e2", "]d2", "]Q3", "]J1"})
"""AIM symbology identifiers that say: GS1 element strings follow (GS1 General Specifications,
5.1.3)."""
_EDGES = " \t\r\n\v\f\0\x1c\x1d\x1e\x1f\x85\xa0\x02\x03\x04\"'`“”‘’<>《》「」。，；"
_EDGES += "".join(map(chr, (*range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F)))
_AROUND = "spaces, quotes or line ends around it"


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A text without noise.

    Attributes:
        text: what is left.
        gs1: the scanner said that it is GS1.
        written: the text with its full-width characters and dashes, which may be its own; the
            same as the text if it had none.
        removed: what was taken away or changed, in words; empty for a clean text.
    """

    text: str
    gs1: bool = False
    written: str = ""
    removed: tuple[str, ...] = ()


def clean(text: str) -> Cleaned:
    """Take wide characters, unseen ones, quotes and spaces at the ends, and AIM prefixes away."""
    removed: list[str] = []
    seen = ""

    def now(changed: str, before: str, what: str) -> str:
        if changed != before and what not in removed:
            removed.append(what)
        return changed

    if not text.isascii():
        text = now(text.translate(_UNSEEN), text, "unseen characters")
        text = now(text.strip(_EDGES), text, _AROUND)
        seen = text
        text = now(text.translate(_WIDE), text, "full-width characters")
        text = now(text.translate(_DASHES), text, "dashes for hyphens")
    text = now(text.strip(_EDGES), text, _AROUND)
    is_gs1 = False
    if text.startswith("]") and _AIM.match(text):
        is_gs1 = text[:3] in _GS1_SYMBOLS
        text = now(text[3:].strip(_EDGES), text, f"symbology identifier {text[:3]}")
    return Cleaned(text, is_gs1, seen or text, tuple(removed))
