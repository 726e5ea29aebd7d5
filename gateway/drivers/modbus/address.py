"""What an operator writes for a value of a Modbus device: ``address:``."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from edge_config.loading.specs import RawType
from edge_config.models.settings import Field, Settings
from gateway.core.schema import Kind
from gateway.drivers.modbus.codec import (
    ADDRESSES,
    MAX_READ_RECORDS,
    MAX_READ_REGISTERS,
    RECORDS,
    Table,
)
from gateway.drivers.modbus.notations.text import EXAMPLES, parse
from gateway.drivers.modbus.types.names import MOST_BITS, Coding, DataType
from gateway.drivers.modbus.types.numbers import range_of
from gateway.drivers.modbus.types.orders import Order
from gateway.drivers.modbus.types.texts import Encoding

MOST_ELEMENTS = 10_000
"""Of an array; each is a tag."""


class Address(Settings):
    """Where a value is: a mapping, or text such as ``holding:100:float32:CDAB``.

    Addresses are those on the wire and begin at 0. Text in the 4xxxx notation of manuals counts
    from 1: ``40101:uint16`` is ``holding:100:uint16``.
    """

    table: Table = Field(
        title_zh="数据区",
        title_en="table",
        description="coil, discrete, input, holding, enron or file",
    )
    file: int | None = Field(
        default=None,
        ge=1,
        le=65_535,
        title_zh="文件号",
        title_en="file",
        description="number of the file, of table file; its records count from 0",
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
    coding: Coding | None = Field(
        default=None,
        title_zh="数字编码",
        title_en="coding",
        description="bcd, sm (sign and magnitude) or mod10; default: binary",
    )
    order: Order | None = Field(
        default=None,
        title_zh="字节顺序",
        title_en="byte order",
        description="byte order; A is the most significant byte; default: the device's",
    )
    bit: int | None = Field(
        default=None,
        ge=0,
        lt=MOST_BITS,
        title_zh="位",
        title_en="bit",
        description="bit of a number, 0 the lowest; of (u)int8: 8 for the high byte",
    )
    last_bit: int | None = Field(
        default=None,
        ge=1,
        lt=MOST_BITS,
        title_zh="末位",
        title_en="last bit",
        description="the bits from `bit` to this one are a number",
    )
    length: int | None = Field(
        default=None,
        ge=1,
        le=MAX_READ_REGISTERS,
        title_zh="长度(寄存器)",
        title_en="length in registers",
        description="text: registers",
    )
    count: int | None = Field(
        default=None,
        ge=1,
        le=MOST_ELEMENTS,
        title_zh="数组元素数",
        title_en="elements of an array",
        description="an array: so many values one after the other, each a tag of its own",
    )
    encoding: Encoding | None = Field(
        default=None,
        title_zh="字符编码",
        title_en="encoding",
        description="text: ascii (default), utf-8, gbk or latin-1",
    )
    unit: int | None = Field(
        default=None,
        ge=0,
        le=255,
        title_zh="站号",
        title_en="unit",
        description="unit id, where a table of points names it; must be the device's",
    )

    @classmethod
    def from_written(cls, written: Any) -> Any:
        """The fields of a mapping or of the text form; bits are bool, registers uint16."""
        fields = parse(written) if isinstance(written, str) else written
        if not isinstance(fields, dict):
            raise ValueError(f"must be a mapping or text such as {EXAMPLES}")  # noqa: TRY004 - for pydantic
        is_bit = fields.get("bit") is not None and fields.get("last_bit") is None
        if "type" not in fields:
            is_bool = is_bit or fields.get("table") in ("coil", "discrete")
            return {**fields, "type": DataType.BOOL if is_bool else DataType.UINT16}
        is_register = fields["type"] == DataType.UINT16 and fields.get("coding") is None
        return {**fields, "type": DataType.BOOL} if is_bit and is_register else fields

    def __post_init__(self) -> None:
        for wrong in self._problems():
            raise ValueError(wrong)

    def _problems(self) -> Iterator[str]:
        checks = (*self._of_bits(), *self._of_texts(), *self._of_numbers(), *self._of_place())
        return (message for is_wrong, message in checks if is_wrong)

    def _of_bits(self) -> Iterator[tuple[bool, str]]:
        table, kind = self.table, self.type
        has_bit, is_bool = self.bit is not None, kind is DataType.BOOL
        yield table.is_bits and not is_bool, f"a {table} holds bool, not {kind}"
        yield table.is_bits and has_bit, f"a {table} has no 'bit'"
        in_register = is_bool and not table.is_bits
        yield in_register and not has_bit, "bool in a register needs 'bit' (0 to 15)"
        if self.bit is None:
            yield self.last_bit is not None, "'last_bit' needs 'bit', the first one"
            return
        if kind.size == 1:
            yield self.bit not in (0, 8), f"{kind} begins at bit 0 or 8 of a register"
            yield self.last_bit is not None, f"{kind} has all of its bits; leave out 'last_bit'"
            return
        is_pattern = is_bool or (kind.is_whole and not kind.is_signed and self.coding is None)
        yield not is_pattern, f"'bit' is for bool and unsigned numbers, not for {kind}"
        yield self.last_bit is not None and is_bool, "several bits are a number: type uint16"
        last = self.bit if self.last_bit is None else self.last_bit
        yield last < self.bit, f"'last_bit' {last} is before 'bit' {self.bit}"
        host, most = self.host, 8 * self.host.size - 1
        yield last > most, f"bit {last} is beyond {most}, the last of {host}{_WIDER}"

    def _of_texts(self) -> Iterator[tuple[bool, str]]:
        is_text = self.type is DataType.STRING
        yield is_text and self.length is None, "string needs 'length' in registers"
        yield not is_text and self.length is not None, "'length' is for string only"
        yield not is_text and self.encoding is not None, "'encoding' is for string only"
        yield is_text and self.count is not None, "an array has no strings; give each its tag"

    def _of_numbers(self) -> Iterator[tuple[bool, str]]:
        coding, order = self.coding, self.order
        unsuited = coding is not None and not coding.suits(self.type)
        yield (
            unsuited,
            f"coding {coding} means nothing for {self.type}{_SUITED[coding] if coding else ''}",
        )
        unordered = order is not None and order not in self._orders()
        yield unordered, f"order {order} means nothing for {self.type}"
        is_array_of_bits = self.count is not None and self.bit is not None
        yield is_array_of_bits, "an array has no 'bit'; give each bit its tag"

    def _of_place(self) -> Iterator[tuple[bool, str]]:
        is_wide = self.type.size == 4 and not self.type.is_date and self.bit is None  # noqa: PLR2004 - bytes
        is_enron = self.table is Table.ENRON
        yield (
            is_enron and not is_wide,
            f"enron registers are int32, uint32 or float32, not {self.type}",
        )
        yield from self._of_file()
        size, places = self.span * (self.count or 1), ADDRESSES if self.file is None else RECORDS
        leaves = self.address + size > places
        yield leaves, f"address {self.address} + {size} leaves 0 to {places - 1}"

    def _of_file(self) -> Iterator[tuple[bool, str]]:
        is_file = self.table is Table.FILE
        yield is_file and self.file is None, "table file needs 'file', its number, as in 'file4:7'"
        yield not is_file and self.file is not None, "'file' is for table file only"
        is_long = is_file and self.span > MAX_READ_RECORDS
        yield is_long, f"{self.span} records are more than a request may ask for, 121"

    def _orders(self) -> tuple[Order, ...]:
        if self.host.registers > 1:
            return tuple(Order)
        is_turned = not self.table.is_bits and self.type is not DataType.BOOL
        return (Order.ABCD, Order.BADC) if is_turned and self.type.size != 1 else (Order.ABCD,)

    @property
    def host(self) -> DataType:
        """The type of the registers that hold it: bits without another stand in one."""
        return DataType.UINT16 if self.type is DataType.BOOL else self.type

    @property
    def space(self) -> str:
        """In what its address is counted: its table, or one file of the device."""
        return self.table if self.file is None else f"{self.table}{self.file}"

    @property
    def is_bit(self) -> bool:
        """Whether it is true or false."""
        is_one = self.bit is not None and self.last_bit is None and self.type.size != 1
        return self.table.is_bits or is_one

    @property
    def is_part(self) -> bool:
        """Whether other values share its registers."""
        return self.bit is not None or self.type.size == 1

    @property
    def span(self) -> int:
        """How many addresses one value covers: registers, or 1 bit."""
        if self.table.is_bits or self.table is Table.ENRON:
            return 1
        return self.length or self.type.registers

    @property
    def stop(self) -> int:
        """The first address after it, or after its first value if it is an array."""
        return self.address + self.span

    def __str__(self) -> str:
        unit = "" if self.unit is None else f"{self.unit}!"
        bit = "" if self.bit is None else f".{self.bit}"
        last = "" if self.last_bit is None else f"-{self.last_bit}"
        options = [str(word) for word in (self.coding, self.order, self.encoding) if word]
        return ":".join(
            [f"{unit}{self.space}", f"{self.address}{bit}{last}", *self._typed(), *options]
        )

    def _typed(self) -> list[str]:
        number = self.length or self.count
        brackets = "" if number is None else f"[{number}]"
        return [] if self.type is DataType.BOOL and not brackets else [f"{self.type}{brackets}"]


_SUITED = {
    Coding.BCD: "; it is for unsigned integers and datetime",
    Coding.SM: "; it is for signed integers",
    Coding.MOD10: "; it is for integers of 32, 48 and 64 bits",
}
_WIDER = "; a wider number has it, as in 'holding:0.20:uint32'"


def kind(address: Address) -> Kind:
    """Raw kind of a tag from its address."""
    return Kind.BOOL if address.is_bit else address.type.kind


def raw_type(address: Address) -> RawType | None:
    """What it holds before scaling, for codes that stand for no value."""
    if address.is_bit or kind(address) is Kind.STRING:
        return None
    name = ":".join(str(word) for word in (address.type, address.coding) if word)
    if address.type.is_float:
        return RawType(name)
    if address.last_bit is not None and address.bit is not None:
        return RawType(name, 0, (1 << address.last_bit - address.bit + 1) - 1)
    bits = 0 if address.coding else 8 * address.type.size
    return RawType(name, *range_of(address.type, address.coding), bits)


def elements(address: Address) -> tuple[Address, ...]:
    """The values of an array, one address each; of another address only itself."""
    if address.count is None:
        return (address,)
    places = range(address.address, ADDRESSES, address.span)[: address.count]
    return tuple(replace(address, address=place, count=None) for place in places)
