"""The pattern of identifiers' suffixes, as ``identifier.suffix`` of a city gives it. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

ELLIPSIS = "…"
MAX_SUFFIX = 64
"""Characters of a suffix that a pattern may produce."""

_UNSAFE = re.compile(r"[^0-9A-Za-z._-]")

TEXT_TOKENS = {"region": 6, "class": 16, "model": 16, "line": 12, "yyyymmdd": 8, "serial": 20}
"""Tokens that describe the machine, with the most characters each contributes."""

_SEQUENCE_DIGITS = 10
_TOKEN = re.compile(r"\{(?P<name>[a-z]+)(?::0(?P<width>\d{1,2})d)?\}")
_LITERAL = re.compile(r"[0-9A-Za-z._-]*")
_ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class SuffixPattern:
    """How a suffix is put together; ``parse`` holds that every result is valid.

    Tokens: ``{region}`` county, ``{class}`` equipment class, ``{model}``, ``{line}``,
    ``{yyyymmdd}`` day of issue, ``{serial}`` maker's number, ``{seq}`` or ``{seq:06d}`` the
    enterprise's counter (needed), ``{check}`` ISO 7064 MOD 37,36 over all that stands before it.
    """

    parts: tuple[tuple[str, str, int], ...]
    """(literal before the token, token or empty, width of a number)."""

    @classmethod
    def parse(cls, text: str) -> "SuffixPattern":
        """Read a pattern.

        Raises:
            ValueError: unknown token, a character outside ``0-9A-Za-z._-``, no ``{seq}``, or
                results could exceed 64 characters.
        """
        parts, position = [], 0
        for match in _TOKEN.finditer(text):
            parts.append((text[position : match.start()], match["name"], int(match["width"] or 0)))
            position = match.end()
        pattern = cls((*parts, (text[position:], "", 0)))
        pattern._check()
        return pattern

    def _check(self) -> None:
        names = [name for _, name, _ in self.parts if name]
        unknown = sorted(set(names) - {*TEXT_TOKENS, "seq", "check"})
        if unknown:
            known = ", ".join((*TEXT_TOKENS, "seq", "check"))
            raise ValueError(f"has the unknown token {unknown[0]!r}; there are {known}")
        widened = [name for _, name, width in self.parts if width and name != "seq"]
        if widened:
            raise ValueError(f"gives {widened[0]!r} a width; only {{seq}} has one, as {{seq:06d}}")
        if any(not _LITERAL.fullmatch(literal) for literal, _, _ in self.parts):
            raise ValueError("may have only 0-9 A-Z a-z . _ - between its tokens")
        if names.count("seq") != 1:
            raise ValueError("needs {seq} once, or machines would share one")
        if self.longest > MAX_SUFFIX:
            raise ValueError(
                f"can make {self.longest} characters; at most {MAX_SUFFIX} are allowed"
            )

    @property
    def longest(self) -> int:
        """Most characters a result can have."""
        return sum(len(literal) + _longest(name, width) for literal, name, width in self.parts)

    def build(self, texts: Mapping[str, str], sequence: int) -> str:
        """The suffix of one machine.

        Args:
            texts: by token of ``TEXT_TOKENS``; characters that are not allowed are left out, an
                empty text becomes ``0``.
            sequence: the counter, 1 … 10^10 − 1.

        Raises:
            ValueError: the counter is out of range.
        """
        if not 0 < sequence < 10**_SEQUENCE_DIGITS:
            raise ValueError(f"the counter {sequence} is outside 1 … 10^{_SEQUENCE_DIGITS} − 1")
        return self._joined(texts, lambda width: f"{sequence:0{width}d}", check_character)

    def preview(self, texts: Mapping[str, str]) -> str:
        """What a suffix would look like: an ellipsis stands for what is known at the issue only."""
        return self._joined(texts, lambda _: ELLIPSIS, lambda _: ELLIPSIS)

    def _joined(
        self,
        texts: Mapping[str, str],
        counter: Callable[[int], str],
        check: Callable[[str], str],
    ) -> str:
        result = ""
        for literal, name, width in self.parts:
            result += literal
            if name == "seq":
                result += counter(width)
            elif name == "check":
                result += check(result)
            elif name:
                result += _UNSAFE.sub("", texts.get(name, ""))[: TEXT_TOKENS[name]] or "0"
        return result


def _longest(name: str, width: int) -> int:
    if name == "seq":
        return max(width, _SEQUENCE_DIGITS)
    return 1 if name == "check" else TEXT_TOKENS.get(name, 0)


def check_character(text: str) -> str:
    """ISO 7064 MOD 37,36 over the letters and digits of a text, without regard to case."""
    from stdnum.iso7064.mod_37_36 import calc_check_digit  # noqa: PLC0415 - in the extra 'city'

    return calc_check_digit("".join(one for one in text.upper() if one in _ALPHANUMERIC))
