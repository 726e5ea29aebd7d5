"""What an operator writes for a value of a meter: ``address:``. Pure."""

import re
from typing import Any

from edge_config.models.settings import Field, Settings
from edge_config.models.wide import narrow
from gateway.core.schema import Kind
from gateway.drivers.dlt645 import formats
from gateway.drivers.dlt645.items import Item, known, named

_TEXT = re.compile(
    r"(?P<item>[0-9A-F]+|[^\[\].:]+)(\[(?P<place>\d+)\])?(\.(?P<bit>\d+))?(:(?P<format>\S+))?",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(r"[0-9A-F]{8}", re.IGNORECASE | re.ASCII)
_OLD = re.compile(r"[0-9A-F]{4}", re.IGNORECASE | re.ASCII)
_EXAMPLES = "'02010100', 'A相电压', '0201FF00[2]', '04000501.3' or '02010100:XXX.X'"
_NUMBERS = frozenset({"place", "bit"})
_WORD_BITS = 16
_MOST = 64


class Address(Settings):
    """Where a value is: a mapping, or text such as ``02010100``.

    A data identifier has eight hexadecimal digits, DI3 first as in the tables of the standard;
    with FF in it it names a block of values. Common ones may be written by their names.
    """

    item: str = Field(
        description="data identifier, DI3 to DI0, or its name",
        title_zh="数据标识",
        title_en="Data identifier",
    )
    place: int = Field(
        default=1,
        ge=1,
        le=_MOST,
        description="which value of a block (0201FF00), from 1",
        title_zh="块内序号",
        title_en="Place in block",
    )
    bit: int | None = Field(
        default=None,
        ge=0,
        lt=_WORD_BITS,
        description="bit of a state word, 0 the lowest",
        title_zh="位",
        title_en="Bit",
    )
    format: str | None = Field(
        default=None,
        description="how it is written: XXX.X, -XXX.XXX (highest bit is the sign), NNNN (digits), "
        "ascii[n], word, date, time, datetime; left out, as in the standard",
        title_zh="数据格式",
        title_en="Format",
    )

    @classmethod
    def from_written(cls, written: Any) -> Any:
        """The fields of a mapping, or of the text form."""
        fields = parse(written) if isinstance(written, str) else written
        if not isinstance(fields, dict):
            raise ValueError(f"must be a mapping or text such as {_EXAMPLES}")  # noqa: TRY004 - for pydantic
        if isinstance(fields.get("item"), int):
            raise ValueError(f"item {fields['item']} is a number to YAML: write it in quotes")  # noqa: TRY004 - for pydantic
        if isinstance(fields.get("item"), str):
            return {**fields, "item": identifier(fields["item"])}
        return fields

    def __post_init__(self) -> None:
        if self.format is None and known(self.item) is None:
            raise ValueError(
                f"{self.item} is not in the tables of this driver: say how it is written, as in "
                f"'{self.item}:XXX.X'"
            )
        formats.check(self.layout.format)
        if self.bit is not None and self.layout.format != formats.WORD:
            raise ValueError(f"'bit' is for format word, not for {self.layout.format}")
        if self.place > 1 and not self.is_block:
            raise ValueError(f"{self.item} is no block; one has FF in it, as in 0201FF00[2]")

    @property
    def is_block(self) -> bool:
        """Whether its identifier names several values."""
        return "FF" in (self.item[2:4], self.item[4:6], self.item[6:])

    @property
    def layout(self) -> Item:
        """How it is written, by itself or by the standard."""
        return Item(self.format) if self.format else known(self.item) or Item(formats.WORD)

    @property
    def size(self) -> int:
        """Bytes that one value of the block takes."""
        return self.layout.size or formats.size_of(self.layout.format)

    def __str__(self) -> str:
        place = f"[{self.place}]" if self.is_block else ""
        bit = "" if self.bit is None else f".{self.bit}"
        written = f":{self.format}" if self.format else ""
        return f"{self.item}{place}{bit}{written}"


def kind(address: Address) -> Kind:
    """Raw kind of a tag from its address."""
    return formats.kind_of(address.layout.format, is_bit=address.bit is not None)


def parse(text: str) -> dict[str, Any]:
    """The fields in the text of an address: ``item[place][.bit][:format]``.

    Raises:
        ValueError: the text has no such form.
    """
    # Chinese keyboards write wide digits and colons.
    match = _TEXT.fullmatch(narrow(text).strip())
    if match is None:
        raise ValueError(f"{text!r} is no address of a meter; write it as {_EXAMPLES}")
    fields = {key: value for key, value in match.groupdict().items() if value is not None}
    return {key: int(value) if key in _NUMBERS else value for key, value in fields.items()}


def identifier(text: str) -> str:
    """Eight digits from an identifier or a name.

    Raises:
        ValueError: it is neither.
    """
    bare = narrow(text).strip()
    if _IDENTIFIER.fullmatch(bare):
        return bare.upper()
    if _OLD.fullmatch(bare):
        raise ValueError(
            f"{bare} is an identifier of DL/T 645-1997, which this driver does not speak; those of "
            "2007 have eight digits, as 00010000"
        )
    found = named(bare)
    if found is None:
        raise ValueError(f"{bare!r} is no data identifier nor a name; write it as {_EXAMPLES}")
    return found


def read_only(_address: Address) -> str:
    """Why no value is written."""
    return "meters are only read: to be set they want a password, which this driver does not send"
