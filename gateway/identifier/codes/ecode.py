"""Ecode, the coding system of the Internet of Things (GB/T 31866). Pure.

Version, numbering system (NSI), master data. The widths of the numbering system and the greatest
lengths of the master data are those of the edition of 2015 as secondary sources give them; the
text of 2023 could not be read, so a length beyond them is a doubt and not a mistake.
"""

import re
from dataclasses import dataclass
from typing import ClassVar

from gateway.identifier.codes.code import CodeError, System
from gateway.identifier.codes.gs1 import Gs1

_NSI_DIGITS = {0: 4, 1: 4, 2: 4, 3: 5, 4: 5}
_MAX_DATA = {1: 20, 2: 28, 3: 39}
_TRADE_ITEMS = (0, "0001", 13)
"""Version, numbering system and digits of what is known to be a GTIN; what others of version 0 hold
could not be read."""
_DIGITS_ONLY = frozenset({1, 2})
MAX_TEXT = 255
_PIPED = re.compile(r"(?P<version>[0-4])\|(?P<nsi>\d{4,5})\|(?P<data>.+)", re.ASCII)
_COMPACT = re.compile(r"(?P<version>[0-4])(?P<rest>\d{4,5}.+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Ecode:
    """An Ecode.

    Attributes:
        version: 0 (holds a GS1 code) to 4.
        nsi: numbering system, 4 digits in versions 0 to 2, 5 in 3 and 4.
        data: master data, as the numbering system makes it.
    """

    system: ClassVar = System.ECODE
    version: int
    nsi: str
    data: str

    @classmethod
    def parse(cls, text: str) -> "Ecode":
        """Read ``0|0001|6901234567892``, or the same without bars.

        Raises:
            CodeError: another form, a numbering system of the wrong width, or a GTIN (0|0001)
                with a wrong check digit.
        """
        if len(text) > MAX_TEXT:
            raise CodeError(f"an Ecode of {len(text)} characters; {MAX_TEXT} are the most")
        if (piped := _PIPED.fullmatch(text)) is not None:
            return cls._made(int(piped["version"]), piped["nsi"], piped["data"])
        if (compact := _COMPACT.fullmatch(text)) is None:
            raise CodeError(f"{text!r} is no Ecode: version 0 to 4, numbering system, master data")
        version = int(compact["version"])
        width = _NSI_DIGITS[version]
        return cls._made(version, compact["rest"][:width], compact["rest"][width:])

    @classmethod
    def _made(cls, version: int, nsi: str, data: str) -> "Ecode":
        width = _NSI_DIGITS[version]
        if len(nsi) != width or not nsi.isdigit():
            raise CodeError(f"the numbering system of version {version} has {width} digits: {nsi}")
        if not data:
            raise CodeError("an Ecode without master data")
        if (version, nsi, len(data)) == _TRADE_ITEMS and data.isdigit():
            Gs1.of_gtin(data)
        return cls(version, nsi, data)

    def __str__(self) -> str:
        return f"{self.version}{self.nsi}{self.data}"

    @property
    def piped(self) -> str:
        """With bars between its parts."""
        return f"{self.version}|{self.nsi}|{self.data}"

    @property
    def doubt(self) -> str:
        """What is unusual about the master data; empty if nothing is."""
        if self.version in _DIGITS_ONLY and not (self.data.isascii() and self.data.isdigit()):
            return f"master data of version {self.version} are digits"
        most = _MAX_DATA.get(self.version)
        if most is not None and len(self.data) > most:
            return f"master data of version {self.version} have at most {most} characters"
        return ""
