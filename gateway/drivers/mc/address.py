"""What an operator writes for a value of a MELSEC controller: ``address:``."""

import re
from typing import Any

from edge_config.loading.specs import Extent
from edge_config.models.settings import Field, Settings
from edge_config.models.wide import narrow
from gateway.core.schema import Kind
from gateway.drivers.mc.devices import DEVICES, NAMES, WORD_BITS, written
from gateway.drivers.mc.values import WORD_BYTES, DataType, Encoding
from gateway.drivers.toolkit.written import typed

_EXAMPLES = "'D100', 'D100:int32', 'D100.F', 'M0', 'X1F' or 'D200:string[10]'"
_NUMBER = re.compile(r"0o(?P<octal>[0-7]+)|(?P<plain>[0-9a-f]+)", re.ASCII | re.IGNORECASE)
MOST_NUMBER = 0xFFFFFF
"""Numbers have three bytes in a message."""
MOST_TEXT = 1_000


class Address(Settings):
    """Where a value is: a mapping, or text such as ``D100:float32``.

    Numbers are written as in GX Works: decimal, and hexadecimal for X, Y, B, W, SB, SW, DX and DY.
    The octal inputs and outputs of FX5 controllers are written ``X0o17``.
    """

    device: str = Field(title_zh="软元件", title_en="device", description=f"{', '.join(DEVICES)}")
    number: int = Field(
        ge=0,
        le=MOST_NUMBER,
        title_zh="编号",
        title_en="number",
        description="its number, decimal: 31 for X1F",
    )
    type: DataType = Field(
        title_zh="数据类型",
        title_en="type",
        description="what it holds; bit devices: always bool, words: int16 unless written",
    )
    bit: int | None = Field(
        default=None,
        ge=0,
        le=15,
        title_zh="位",
        title_en="bit",
        description="bit of a word, 0 the lowest",
    )
    length: int | None = Field(
        default=None,
        ge=1,
        le=MOST_TEXT,
        title_zh="长度(字节)",
        title_en="length in bytes",
        description="text: longest one, bytes; a Chinese character has two in gbk",
    )
    encoding: Encoding | None = Field(
        default=None,
        title_zh="字符编码",
        title_en="encoding",
        description="text: ascii (default), utf-8, gbk or shift_jis",
    )

    @classmethod
    def from_written(cls, raw: Any) -> Any:
        """The fields of a mapping or of the text form; bits are bool, words int16."""
        fields = parse(raw) if isinstance(raw, str) else raw
        if not isinstance(fields, dict):
            raise ValueError(f"must be a mapping or text such as {_EXAMPLES}")  # noqa: TRY004 - for pydantic
        if "type" in fields:
            return fields
        device = DEVICES.get(str(fields.get("device")))
        is_bool = fields.get("bit") is not None or (device is not None and device.is_bits)
        return {**fields, "type": DataType.BOOL if is_bool else DataType.INT16}

    def __post_init__(self) -> None:
        if self.device not in DEVICES:
            raise ValueError(f"device {self.device!r} is none of {', '.join(DEVICES)}")
        for wrong in self._problems():
            raise ValueError(wrong)

    def _problems(self) -> list[str]:
        is_text, is_bool = self.type is DataType.STRING, self.type is DataType.BOOL
        name, is_bits = self.device, DEVICES[self.device].is_bits
        checks = (
            (is_bits and not is_bool, f"{name} holds bool, not {self.type}"),
            (is_bits and self.bit is not None, f"{name} has no 'bit'"),
            (not is_bits and is_bool and self.bit is None, "bool in a word needs 'bit': D100.F"),
            (not is_bool and self.bit is not None, f"'bit' is for bool, not for {self.type}"),
            (is_text and self.length is None, "string needs its length in bytes: string[10]"),
            (not is_text and self.length is not None, "'length' is for string only"),
            (not is_text and self.encoding is not None, "'encoding' is for string only"),
            (self.stop > MOST_NUMBER + 1, f"{self} leaves the numbers up to {MOST_NUMBER}"),
        )
        return [message for is_wrong, message in checks if is_wrong]

    @property
    def words(self) -> int:
        """How many neighbouring devices it takes: words, or 1 bit."""
        size = (self.length or 0) if self.type is DataType.STRING else self.type.size
        return max(1, -(-size // WORD_BYTES))

    @property
    def stop(self) -> int:
        """The number after its last."""
        return self.number + self.words

    def __str__(self) -> str:
        place = written(self.device, self.number)
        if self.type is DataType.BOOL:
            return place if self.bit is None else f"{place}.{self.bit:X}"
        length = f"[{self.length}]" if self.length else ""
        encoding = "" if self.encoding is None else f":{self.encoding}"
        return f"{place}:{self.type}{length}{encoding}"


def kind(address: Address) -> Kind:
    """Raw kind of a tag from its address."""
    return address.type.kind


def extent(address: Address) -> Extent:
    """Its bits."""
    width = 1 if DEVICES[address.device].is_bits else 8 * WORD_BYTES
    start = width * address.number
    if address.bit is None:
        return Extent(address.device, start, width * address.stop)
    return Extent(address.device, start + address.bit, start + address.bit + 1)


def parse(text: str) -> dict[str, Any]:
    """The fields in the text of an address; their values are validated by :class:`Address`.

    ``device``, ``device.bit`` or ``device:type[[length]][:encoding]``.

    Raises:
        ValueError: the text has no such form.
    """
    place, *rest = narrow(text).strip().split(":")
    place, _, bit = place.partition(".")
    fields = _device(place, text)
    if bit:
        fields["bit"] = _digits(bit, WORD_BITS, text)
    if rest:
        fields |= typed(rest.pop(0), text, _EXAMPLES)
    if rest:
        fields["encoding"] = rest.pop(0).lower()
    if rest:
        raise ValueError(f"{text!r} says too much; write it as {_EXAMPLES}")
    return fields


def _device(place: str, text: str) -> dict[str, Any]:
    """The longest name of a device that leaves a number of its radix."""
    for name in NAMES:
        rest = place[len(name) :]
        if not place.upper().startswith(name) or not _NUMBER.fullmatch(rest):
            continue
        radix = DEVICES[name].radix
        if radix == WORD_BITS or rest.isdigit():
            return {"device": name, "number": _digits(rest, radix, text)}
    raise ValueError(f"{text!r} is no device of a MELSEC controller; write it as {_EXAMPLES}")


def _digits(word: str, radix: int, text: str) -> int:
    match = _NUMBER.fullmatch(word)
    if match is None:
        raise ValueError(f"{word!r} in {text!r} is no number; write it as {_EXAMPLES}")
    return int(match["octal"], 8) if match["octal"] else int(match["plain"], radix)


def read_only(address: Address) -> str:
    """Why its value cannot be written; empty: it can."""
    if not DEVICES[address.device].is_writable:
        return f"{address.device} can be read only"
    return "" if address.bit is None else "a bit of a word cannot be written by itself"
