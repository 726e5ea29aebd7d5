"""What an operator writes for a value of a SIMATIC controller: ``address:``."""

import re
from enum import StrEnum
from typing import Any

from edge_config.loading.specs import Extent
from edge_config.models.settings import Field, Settings
from edge_config.models.wide import narrow
from gateway.core.schema import Kind
from gateway.drivers.s7.values import WORDS, DataType, Encoding
from gateway.drivers.toolkit.written import typed

_EXAMPLES = "'DB1.DBX0.3', 'DB10.DBD8:real', 'MW10', 'I0.0' or 'DB1.DBB20:string[16]'"
_PLACE = re.compile(
    r"%?(?:DB(?P<db>\d{1,5})\.DB|(?P<area>[MIEQAVTCZ]))(?P<width>[XBWD]?)(?P<start>\d{1,5})"
    r"(?:\.(?P<bit>\d+))?",
    re.ASCII | re.IGNORECASE,
)
MOST_START = 65_535
_NATURAL = {"B": DataType.UINT8, "W": DataType.UINT16, "D": DataType.UINT32}
_WIDTHS = {"W": 2, "D": 4}
_LETTERS = {1: "B", 2: "W", 4: "D"}


class Area(StrEnum):
    """Memory areas of a controller."""

    DB = "DB"
    MEMORY = "M"
    INPUT = "I"
    OUTPUT = "Q"
    TIMER = "T"
    COUNTER = "C"

    @property
    def is_element(self) -> bool:
        """Whether it is counted in timers or counters and not in bytes."""
        return self in {Area.TIMER, Area.COUNTER}


_AREAS = {"M": Area.MEMORY, "I": Area.INPUT, "E": Area.INPUT, "Q": Area.OUTPUT, "A": Area.OUTPUT}
_AREAS |= {"T": Area.TIMER, "C": Area.COUNTER, "Z": Area.COUNTER}
_ELEMENTS = {Area.TIMER: DataType.TIMER, Area.COUNTER: DataType.COUNTER}


class Address(Settings):
    """Where a value is: a mapping, or text as the engineering tool shows it, ``DB10.DBD8:real``.

    German letters are understood (``E``, ``A``, ``Z``), and ``V`` of S7-200 is data block 1.
    """

    area: Area = Field(title_zh="存储区", title_en="area", description="DB, M, I, Q, T or C")
    db: int | None = Field(
        default=None,
        ge=1,
        le=MOST_START,
        title_zh="DB 号",
        title_en="data block",
        description="number of the data block",
    )
    start: int = Field(
        ge=0,
        le=MOST_START,
        title_zh="起始字节",
        title_en="first byte",
        description="first byte; number of a timer or counter",
    )
    type: DataType = Field(
        title_zh="数据类型", title_en="type", description="what it holds; int, dint, real … too"
    )
    bit: int | None = Field(
        default=None, ge=0, le=7, title_zh="位", title_en="bit", description="bit of a byte"
    )
    length: int | None = Field(
        default=None,
        ge=1,
        le=470,
        title_zh="长度(字符)",
        title_en="length in characters",
        description="string, wstring: most characters, as declared",
    )
    encoding: Encoding | None = Field(
        default=None,
        title_zh="字符编码",
        title_en="encoding",
        description="string: ascii (default), cp1252, gbk or utf-8",
    )

    @classmethod
    def from_written(cls, raw: Any) -> Any:
        """The fields of a mapping or of the text form; types of the engineering tool are ours."""
        fields = parse(raw) if isinstance(raw, str) else raw
        if not isinstance(fields, dict):
            raise ValueError(f"must be a mapping or text such as {_EXAMPLES}")  # noqa: TRY004 - for pydantic
        written = fields.get("type")
        if isinstance(written, str):
            return {**fields, "type": WORDS.get(written.lower(), written.lower())}
        return fields

    def __post_init__(self) -> None:
        for wrong in self._problems():
            raise ValueError(wrong)

    def _problems(self) -> list[str]:
        is_bool, is_db = self.type is DataType.BOOL, self.area is Area.DB
        element = _ELEMENTS.get(self.area)
        checks = (
            (is_db and self.db is None, "a data block needs its number: DB10"),
            (not is_db and self.db is not None, f"{self.area} has no 'db'"),
            (element is not None and self.type is not element, f"{self.area} holds {element}"),
            (
                element is None and self.type in _ELEMENTS.values(),
                f"{self.type} is in T or C only; a time of a data block is an int or dint",
            ),
            (is_bool and self.bit is None, "bool needs its bit (0 to 7): DB1.DBX0.3"),
            (not is_bool and self.bit is not None, f"'bit' is for bool, not for {self.type}"),
            (self.type.is_text and self.length is None, f"{self.type} needs a length: [16]"),
            (not self.type.is_text and self.length is not None, "'length' is for texts only"),
            (
                self.type is not DataType.STRING and self.encoding is not None,
                "'encoding' is for string only",
            ),
            (
                self.type is DataType.STRING and (self.length or 0) > 254,  # noqa: PLR2004 - its head is a byte
                "a string has at most 254 characters",
            ),
            (self.stop > MOST_START + 1, f"it leaves the bytes up to {MOST_START}"),
        )
        return [message for is_wrong, message in checks if is_wrong]

    @property
    def stop(self) -> int:
        """The first byte after it; of a timer or counter the number after its own."""
        size = 1 if self.area.is_element else self.type.size(self.length)
        return self.start + size

    @property
    def block(self) -> str:
        """``DB10``, ``M`` …: what it is in."""
        return f"DB{self.db}" if self.area is Area.DB else str(self.area)

    def __str__(self) -> str:
        if self.area.is_element:
            return f"{self.area}{self.start}"
        before = f"DB{self.db}.DB" if self.area is Area.DB else str(self.area)
        if self.type is DataType.BOOL:
            letter = "X" if self.area is Area.DB else ""
            return f"{before}{letter}{self.start}.{self.bit}"
        letter = _LETTERS.get(self.type.size(self.length) if self.type.code else 0, "B")
        length = f"[{self.length}]" if self.length else ""
        encoding = "" if self.encoding is None else f":{self.encoding}"
        return f"{before}{letter}{self.start}:{self.type}{length}{encoding}"


def kind(address: Address) -> Kind:
    """Raw kind of a tag from its address."""
    return address.type.kind


def extent(address: Address) -> Extent:
    """Its bits."""
    start = 8 * address.start
    if address.bit is None:
        return Extent(address.block, start, 8 * address.stop)
    return Extent(address.block, start + address.bit, start + address.bit + 1)


def parse(text: str) -> dict[str, Any]:
    """The fields in the text of an address; their values are validated by :class:`Address`.

    Raises:
        ValueError: the text has no such form, or contradicts itself.
    """
    place, *rest = narrow(text).strip().split(":")
    match = _PLACE.fullmatch(place)
    if match is None or len(rest) > 2:  # noqa: PLR2004 - type and encoding
        raise ValueError(f"{text!r} is no address of an S7; write it as {_EXAMPLES}")
    fields = _where(match) | (typed(rest[0], text, _EXAMPLES) if rest else {})
    if rest[1:]:
        fields["encoding"] = rest[1].lower()
    width = match["width"].upper()
    if Area(fields["area"]).is_element:
        is_plain = not width and match["bit"] is None
        fields.setdefault("type", _ELEMENTS[fields["area"]])
    else:
        is_plain = _settle(fields, width, match["bit"])
    if not is_plain:
        raise ValueError(f"{text!r} contradicts itself; write it as {_EXAMPLES}")
    return fields


def _where(match: re.Match[str]) -> dict[str, Any]:
    start = {"start": int(match["start"])}
    if match["db"] is not None:
        return {"area": Area.DB, "db": int(match["db"]), **start}
    letter = match["area"].upper()
    return (
        {"area": Area.DB, "db": 1, **start} if letter == "V" else {"area": _AREAS[letter], **start}
    )


def _settle(fields: dict[str, Any], width: str, bit: str | None) -> bool:
    """Type and bit by the letter of the width; whether they fit each other.

    ``X`` with bit 0 and a type is how TIA Portal shows what has no letter: an LREAL, a STRING.
    """
    is_bits = width in ("", "X")
    if is_bits != (bit is not None):
        return False
    if is_bits and fields.get("type", "bool") in ("bool", DataType.BOOL):
        fields |= {"type": DataType.BOOL, "bit": int(bit or 0)}
        return True
    if is_bits:
        return int(bit or 0) == 0
    fields.setdefault("type", _NATURAL[width])
    found = WORDS.get(fields["type"], fields["type"])
    size = _WIDTHS.get(width)
    return size is None or found not in set(DataType) or DataType(found).size(1) == size


def read_only(address: Address) -> str:
    """Why its value cannot be written; empty: it can."""
    if address.area.is_element or address.area is Area.INPUT:
        return f"{address.area} can be read only"
    is_time = address.type in (DataType.DATE_AND_TIME, DataType.DTL)
    return "times are not written" if is_time else ""
