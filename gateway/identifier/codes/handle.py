"""Handles, those of the national identifier system among them. Pure.

A handle is ``country.industry.enterprise/suffix``, as ``88.999.QZ01/451.20261101.000001``. The
prefix is compared without regard to case, the suffix is kept as given; because many servers
ignore case there too, no two handles of ours differ in case only.
"""

import re
from dataclasses import dataclass
from typing import ClassVar

from gateway.identifier.codes.code import CodeError, System

MAX_HANDLE = 255
"""Characters a node accepts (SNMS interface)."""

_NATIONAL = re.compile(
    r"(?P<country>8[68])\.(?P<industry>\d{1,4})\.(?P<enterprise>[0-9A-Za-z]{1,20})"
    r"(?P<branch>(?:\.[0-9A-Za-z]{1,20})*)/(?P<suffix>.+)",
    re.ASCII | re.DOTALL,
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_GENERIC = re.compile(r"(?P<prefix>[^/\s]+)/(?P<suffix>.+)", re.DOTALL)


class HandleError(CodeError):
    """A text is no handle."""


@dataclass(frozen=True, slots=True)
class Handle:
    """An identifier: everything before the first ``/``, and everything behind it."""

    system: ClassVar = System.HANDLE
    prefix: str
    suffix: str

    @classmethod
    def parse(cls, text: str) -> "Handle":
        """Split a handle.

        Raises:
            HandleError: no ``/``, an empty part, a space in the prefix, a line end or another
                control character, or too long.
        """
        match = _GENERIC.fullmatch(text.strip())
        if match is None:
            raise HandleError(f"{text!r} is no handle; it has the form prefix/suffix")
        if len(text.strip()) > MAX_HANDLE:
            raise HandleError(f"a handle has at most {MAX_HANDLE} characters, not {len(text)}")
        if _CONTROL.search(match[0]) is not None:
            raise HandleError(f"{text!r}: a line end or control character within; one code a line")
        return cls(match["prefix"], match["suffix"])

    def __str__(self) -> str:
        return f"{self.prefix}/{self.suffix}"

    @property
    def key(self) -> str:
        """Equal for handles that a server without regard to case takes for the same."""
        return str(self).upper()

    @property
    def national(self) -> bool:
        """Whether it has China's form: 86 or 88, industry node, enterprise."""
        return _NATIONAL.fullmatch(str(self)) is not None

    def same_as(self, other: "Handle") -> bool:
        """Whether both name one object: prefix without regard to ASCII case, suffix as given.

        Handles below ``0.`` are wholly without regard to case.
        """
        if self.prefix.startswith("0."):
            return self.key == other.key
        return self.prefix.upper() == other.prefix.upper() and self.suffix == other.suffix
