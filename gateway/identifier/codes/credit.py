"""Unified social credit codes as codes of a system. Pure; GB 32100-2015."""

from dataclasses import dataclass
from typing import ClassVar

from edge_config.models import uscc
from gateway.identifier.codes.code import CodeError, System

_TAKEN_FOR_DIGITS = str.maketrans("OISZ", "0152")
"""Letters that no code has, because they look like digits (GB 32100-2015)."""


@dataclass(frozen=True, slots=True)
class Uscc:
    """An enterprise's code: 18 capital letters and digits, the last one a check."""

    system: ClassVar = System.USCC
    text: str

    @classmethod
    def parse(cls, text: str) -> "Uscc":
        """Read a code; small letters are taken for capitals.

        Raises:
            CodeError: another length, other characters, or a wrong check character.
        """
        code = text.upper()
        problem = uscc.problem(code)
        if problem is None:
            return cls(code)
        is_check = len(code) == uscc.LENGTH and set(code) <= set(uscc.ALPHABET)
        hint = f"; {meant} may be meant" if (meant := likely_meant(code)) else ""
        raise CodeError(
            f"{code} {problem}{hint}", uscc.check_character(code[:-1]) if is_check else ""
        )

    def __str__(self) -> str:
        return self.text


def likely_meant(code: str) -> str:
    """The code with digits for letters that look like them, if it is a good one only then."""
    meant = code.translate(_TAKEN_FOR_DIGITS)
    return meant if meant != code and uscc.problem(meant) is None else ""
