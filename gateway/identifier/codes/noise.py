"""What scanners, keyboards and copying add to a code, taken away again. Pure."""

import re
from dataclasses import dataclass

_WIDE = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {0x3000: " ", 0x3002: "."}
_UNSEEN = dict.fromkeys((0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF, 0xAD))
_DASHES = dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2212), "-")
_AIM = re.compile(r"\][A-Za-z][0-9A-Za-z]", re.ASCII)
_GS1_SYMBOLS = frozenset({"]C1", "]e0", "]e1", "]e2", "]d2", "]Q3", "]J1"})
"""AIM symbology identifiers that say: GS1 element strings follow (GS1 General Specifications,
5.1.3)."""
_EDGES = " \t\r\n\v\f\0\x1c\x1d\x1e\x1f\x85\xa0\x02\x03\x04\"'`“”‘’<>《》「」"


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A text without noise.

    Attributes:
        text: what is left.
        gs1: the scanner said that it is GS1.
        removed: what was taken away or changed, in words; empty for a clean text.
    """

    text: str
    gs1: bool = False
    removed: tuple[str, ...] = ()


def clean(text: str) -> Cleaned:
    """Take wide characters, unseen ones, quotes and spaces at the ends, and AIM prefixes away."""
    removed: list[str] = []

    def now(changed: str, before: str, what: str) -> str:
        if changed != before:
            removed.append(what)
        return changed

    if not text.isascii():
        text = now(text.translate(_UNSEEN), text, "unseen characters")
        text = now(text.translate(_WIDE), text, "full-width characters")
        text = now(text.translate(_DASHES), text, "dashes for hyphens")
    text = now(text.strip(_EDGES), text, "spaces, quotes or line ends around it")
    is_gs1 = False
    if text.startswith("]") and _AIM.match(text):
        is_gs1 = text[:3] in _GS1_SYMBOLS
        text = now(text[3:].strip(_EDGES), text, f"symbology identifier {text[:3]}")
    return Cleaned(text, is_gs1, tuple(removed))
