"""VAA, the codes of issuing agency VAA (ISO/IEC 15459-2; CAICT since 2020). Pure."""

import re
from dataclasses import dataclass
from typing import ClassVar

from gateway.identifier.codes.code import CodeError, System
from gateway.identifier.codes.handle import Handle

_FORM = re.compile(
    r"VAA(?P<country>\d{3})(?P<industry>\d{3})(?P<enterprise>\d{8})/(?P<own>.{1,200})", re.ASCII
)
_PREFIX = re.compile(r"(?P<country>\d{1,3})\.(?P<industry>\d{3})\.(?P<enterprise>\d{8})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Vaa:
    """A code of the agency.

    Attributes:
        country: 3 digits, as 088.
        industry: 3 digits.
        enterprise: 8 digits.
        own: what the enterprise has made up.
    """

    system: ClassVar = System.VAA
    country: str
    industry: str
    enterprise: str
    own: str

    @classmethod
    def parse(cls, text: str) -> "Vaa":
        """Read ``VAA08810012345678/abc123``.

        Raises:
            CodeError: another form.
        """
        match = _FORM.fullmatch(text[:3].upper() + text[3:])
        if match is None:
            raise CodeError(
                f"{text!r} is no VAA code: VAA, 3 digits of the country, 3 of the industry, 8 of"
                " the enterprise, /, and the enterprise's own code"
            )
        return cls(match["country"], match["industry"], match["enterprise"], match["own"])

    def __str__(self) -> str:
        return f"VAA{self.country}{self.industry}{self.enterprise}/{self.own}"

    def handle(self) -> Handle:
        """The handle that is likely to stand for the same thing.

        The guide to VAA speaks of forms that can be converted, and could not be read: whoever
        uses this asks the node of the enterprise first, and keeps both.
        """
        country = self.country.lstrip("0") or "0"
        return Handle(f"{country}.{self.industry}.{self.enterprise}", self.own)

    @classmethod
    def from_handle(cls, handle: Handle) -> "Vaa":
        """The other way.

        Raises:
            CodeError: the prefix has other widths than 3 and 8 digits, so it is no VAA's.
        """
        match = _PREFIX.fullmatch(handle.prefix)
        if match is None:
            raise CodeError(f"{handle.prefix} is no country.industry.enterprise of 3 and 8 digits")
        return cls(match["country"].zfill(3), match["industry"], match["enterprise"], handle.suffix)
