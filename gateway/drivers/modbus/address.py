"""What an operator writes for a value of a Modbus device: ``address:``."""

import re
from typing import Any

from edge_config.models.gateway import Notation
from edge_config.models.settings import Field, Settings
from edge_config.models.wide import narrow
from gateway.core.schema import Kind
from gateway.drivers.modbus.codec import ADDRESSES, MAX_READ_REGISTERS, Table
from gateway.drivers.modbus.values import DataType, Encoding, Order

_PARTS = re.compile(r"(?P<type>[a-z]+\d*)(\[(?P<length>\d+)\])?", re.ASCII)
_PLACE = re.compile(
    r"(?:0x(?P<hex>[0-9a-f]+)|(?P<h>[0-9][0-9a-f]*)h|(?P<number>\d+))(\.(?P<bit>\d+))?",
    re.ASCII | re.IGNORECASE,
)
_PLATE = re.compile(r"(?P<table>[134])x(?P<number>\d{1,5}(\.\d+)?)", re.ASCII | re.IGNORECASE)
"""``4x0101``, as manuals print it; 0x0010 is a number of base 16."""
_NOTATION = {"0": Table.COIL, "1": Table.DISCRETE, "3": Table.INPUT, "4": Table.HOLDING}
_EXAMPLES = "'holding:100:float32:CDAB', 'coil:5', 'holding:7.3' or '40101:uint16'"


class Address(Settings):
    """Where a value is: a mapping, or text such as ``holding:100:float32:CDAB``.

    Addresses are those on the wire and begin at 0. Text in the 4xxxx notation of manuals counts
    from 1: ``40101:uint16`` is ``holding:100:uint16``.
    """

    table: Table = Field(
        title_zh="数据区", title_en="table", description="coil, discrete, input or holding"
    )
    address: int = Field(
        ge=0,
        lt=ADDRESSES,
        title_zh="地址",
        title_en="address",
        description="first address, from 0",
    )
    type: DataType = Field(
        default=DataType.UINT16,
        title_zh="数据类型",
        title_en="type",
        description="what it holds; bits: always bool",
    )
    order: Order = Field(
        default=Order.ABCD,
        title_zh="字节顺序",
        title_en="byte order",
        description="byte order; A is the most significant byte",
    )
    bit: int | None = Field(
        default=None,
        ge=0,
        le=15,
        title_zh="位",
        title_en="bit",
        description="bit of a register, 0 the lowest",
    )
    length: int | None = Field(
        default=None,
        ge=1,
        le=MAX_READ_REGISTERS,
        title_zh="长度(寄存器)",
        title_en="length in registers",
        description="text: registers",
    )
    encoding: Encoding | None = Field(
        default=None,
        title_zh="字符编码",
        title_en="encoding",
        description="text: ascii (default), utf-8 or gbk",
    )

    @classmethod
    def from_written(cls, written: Any) -> Any:
        """The fields of a mapping or of the text form; bits are bool, registers uint16."""
        fields = parse(written) if isinstance(written, str) else written
        if isinstance(fields, dict) and "type" not in fields:
            is_bool = fields.get("bit") is not None or fields.get("table") in ("coil", "discrete")
            return {**fields, "type": DataType.BOOL if is_bool else DataType.UINT16}
        if not isinstance(fields, dict):
            raise ValueError(f"must be a mapping or text such as {_EXAMPLES}")  # noqa: TRY004 - for pydantic
        return fields

    def __post_init__(self) -> None:
        for wrong in self._problems():
            raise ValueError(wrong)

    def _problems(self) -> list[str]:
        is_text, is_bool = self.type is DataType.STRING, self.type is DataType.BOOL
        in_register = is_bool and not self.table.is_bits
        checks = (
            (self.table.is_bits and not is_bool, f"a {self.table} holds bool, not {self.type}"),
            (self.table.is_bits and self.bit is not None, f"a {self.table} has no 'bit'"),
            (in_register and self.bit is None, "bool in a register needs 'bit' (0 to 15)"),
            (not is_bool and self.bit is not None, f"'bit' is for bool, not for {self.type}"),
            (is_text and self.length is None, "string needs 'length' in registers"),
            (not is_text and self.length is not None, "'length' is for string only"),
            (not is_text and self.encoding is not None, "'encoding' is for string only"),
            (self.order not in self._orders(), f"order {self.order} means nothing for {self.type}"),
            (
                self.address + self.span > ADDRESSES,
                f"address {self.address} + {self.span} leaves 0 to 65535",
            ),
        )
        return [message for is_wrong, message in checks if is_wrong]

    def _orders(self) -> tuple[Order, ...]:
        if self.type.size > 2:  # noqa: PLR2004 - bytes of one register
            return tuple(Order)
        return (Order.ABCD,) if self.type is DataType.BOOL else (Order.ABCD, Order.BADC)

    @property
    def span(self) -> int:
        """How many addresses it covers: registers, or 1 bit."""
        if self.type is DataType.STRING:
            return self.length or 1
        return max(1, self.type.size // 2)

    @property
    def stop(self) -> int:
        """The first address after it."""
        return self.address + self.span

    def __str__(self) -> str:
        place = f"{self.table}:{self.address}"
        if self.type is DataType.BOOL:
            return place if self.bit is None else f"{place}.{self.bit}"
        length = f"[{self.length}]" if self.length else ""
        order = "" if self.order is Order.ABCD else f":{self.order}"
        encoding = "" if self.encoding is None else f":{self.encoding}"
        return f"{place}:{self.type}{length}{order}{encoding}"


def kind(address: Address) -> Kind:
    """Raw kind of a tag from its address."""
    return address.type.kind


def parse(text: str) -> dict[str, Any]:
    """The fields in the text of an address; their values are validated by :class:`Address`.

    ``table:address[.bit][:type[[length]]][:order][:encoding]``, or a 5- or 6-digit number in
    the notation of manuals in place of ``table:address``.

    Raises:
        ValueError: the text has no such form.
    """
    # Chinese keyboards write wide digits and colons.
    first, *rest = narrow(text).strip().split(":")
    if first in set(Table):
        if not rest:
            raise ValueError(f"{text!r} has no address after the table; write it as {_EXAMPLES}")
        fields = {"table": first, **_place(rest.pop(0), text)}
    else:
        fields = _notation(first, text)
    if rest:
        fields |= _type(rest.pop(0), text)
    for word in rest:
        fields |= _option(word, text)
    return fields


def _place(word: str, text: str) -> dict[str, Any]:
    """``100``, ``0x64`` or ``64H`` on the wire, perhaps with a bit."""
    match = _PLACE.fullmatch(word)
    if match is None:
        raise ValueError(f"{word!r} in {text!r} is no address; write it as {_EXAMPLES}")
    written, bit = match["hex"] or match["h"], match["bit"]
    number = int(match["number"]) if written is None else int(written, 16)
    return {"address": number} | ({} if bit is None else {"bit": int(bit)})


def _notation(word: str, text: str) -> dict[str, Any]:
    """``40101``, ``400101`` or ``4x0101``: tables by their first digit, counted from 1."""
    plate = _PLATE.fullmatch(word)
    word = f"{plate['table']}{plate['number'].zfill(4)}" if plate else word
    place = _PLACE.fullmatch(word)
    number = (place and place["number"]) or ""
    if len(number) not in (5, 6) or number[0] not in _NOTATION or int(number[1:]) == 0:
        raise ValueError(f"{text!r} is no Modbus address; {_meant(word)}write it as {_EXAMPLES}")
    fields = _place(word, text)
    return {**fields, "table": _NOTATION[number[0]], "address": int(number[1:]) - 1}


_PLAIN = re.compile(r"[0-9]{5,6}(?![0-9])", re.ASCII)
_PRINTED = {Table.HOLDING: 40_001, Table.INPUT: 30_001, Table.DISCRETE: 10_001}
"""First five-digit number of a table in manuals that count from 1; they have 9,999 each."""


def in_notation(written: Any, notation: Notation) -> Any:
    """The address without the notation of its profile.

    ``wire`` makes a plain number what it is in a request for holding registers; ``reference`` is
    how plain numbers are read anyway.

    Raises:
        ValueError: the address is in the other notation.
    """
    if notation == "wire" and isinstance(written, str):
        text = narrow(written).strip()
        plate = _PLATE.fullmatch(text.partition(":")[0])
        if plate:
            raise ValueError(_of_another_manual(plate))
        return f"{Table.HOLDING}:{text}" if text[:1].isdigit() else written
    return written


def _of_another_manual(plate: re.Match[str]) -> str:
    """What to write for ``4x0101`` in a profile whose numbers are those on the wire."""
    table, number = _NOTATION[plate["table"]], plate["number"]
    first, dot, bit = number.partition(".")
    counted = f"'{table}:{int(first) - 1}{dot}{bit}' or " if int(first) else ""
    return (
        f"'{plate[0]}' names its table and counts from 1, as manuals do, but the profile says "
        f"'notation: wire'; write {counted}'{table}:{int(first)}{dot}{bit}', whichever the manual "
        "means – compare one known value –, or say 'notation: reference'"
    )


_SAY = "say which by 'notation: reference' or 'notation: wire' in the profile"


def unclear(written: Any, address: Address) -> str:
    """How a manual that counts in the other way would mean an address, and what to write then.

    Empty: the same.
    """
    text = narrow(written).strip() if isinstance(written, str) else ""
    plain = _PLAIN.match(text)
    if plain:
        wire = int(plain[0])
        if wire >= ADDRESSES:
            return ""
        return (
            f"{plain[0]} is read as {address.table}:{address.address}, which counts from 1; a "
            f"manual that prints addresses as on the wire means {Table.HOLDING}:{wire}; {_SAY}"
        )
    first = _PRINTED.get(address.table)
    if first is None or not first <= address.address < first + 9_999:
        return ""
    return (
        f"{address.table}:{address.address} is read as on the wire; a manual that counts from 1 "
        f"means {address.table}:{address.address - first}; {_SAY}"
    )


def _meant(word: str) -> str:
    """What a number without a table may mean, with a semicolon behind it; else nothing."""
    if not _PLACE.fullmatch(word):
        return ""
    wire = _place(word, word)["address"]
    table = _NOTATION.get(word[0], Table.HOLDING)
    if word.isdigit() and len(word) > 4 and int(word[1:]) == 0:  # noqa: PLR2004 - of a manual
        return f"{word[0]}xxxx counts from 1: '{word[:-1]}1' is '{table}:0'; "
    if word.isdigit() and len(word) == 4 and word[0] in "134":  # noqa: PLR2004 - of a manual
        return f"'{word[0]}0{word[1:]}' in a manual's five digits, 'holding:{wire}' on the wire; "
    return f"it names no table: perhaps 'holding:{wire}' on the wire; "


def _type(word: str, text: str) -> dict[str, Any]:
    match = _PARTS.fullmatch(word)
    if match is None or match["type"] not in set(DataType):
        raise ValueError(f"{word!r} in {text!r} is no type; known: {', '.join(DataType)}")
    length = match["length"]
    return {"type": match["type"]} | ({} if length is None else {"length": int(length)})


def _option(word: str, text: str) -> dict[str, Any]:
    if word in set(Order):
        return {"order": word}
    if word in set(Encoding):
        return {"encoding": word}
    known = ", ".join((*Order, *Encoding))
    raise ValueError(f"{word!r} in {text!r} is no byte order or encoding; known: {known}")
