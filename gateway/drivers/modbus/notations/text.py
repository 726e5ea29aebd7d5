"""The text form of an address: ``holding:100:float32:CDAB``, ``40101:uint16``. Pure."""

import re
from typing import Any

from edge_config.models.wide import narrow
from gateway.drivers.modbus.codec import Table
from gateway.drivers.modbus.types.names import Coding, DataType
from gateway.drivers.modbus.types.orders import Order
from gateway.drivers.modbus.types.texts import Encoding

EXAMPLES = "'holding:100:float32:CDAB', 'coil:5', 'holding:7.3' or '40101:uint16'"
PLATE_TABLES = {
    "0": Table.COIL,
    "1": Table.DISCRETE,
    "3": Table.INPUT,
    "4": Table.HOLDING,
}
"""Tables by the first digit of a number in manuals."""
PLATE = re.compile(r"(?P<table>[134])x(?P<number>\d{1,5}(\.\d+(-\d+)?)?)", re.ASCII | re.IGNORECASE)
"""``4x0101``, as manuals print it; 0x0010 is a number of base 16."""
_TYPE = re.compile(r"(?P<type>[a-z][a-z0-9_]*)(\[(?P<number>\d+)\])?", re.ASCII)
_PLACE = re.compile(
    r"(?:0x(?P<hex>[0-9a-f]+)|(?P<h>[0-9][0-9a-f]*)h|(?P<number>\d+))"
    r"(\.(?P<bit>\d+)(-(?P<last_bit>\d+))?)?",
    re.ASCII | re.IGNORECASE,
)
_FILE = re.compile(r"file(?P<file>\d{1,5})", re.ASCII)
_RECORD = re.compile(r"6x?\d{4,5}", re.ASCII | re.IGNORECASE)
"""A record of a file in manuals, which do not agree from where it counts."""
_UNIT = re.compile(r"(?P<unit>\d{1,3})!", re.ASCII)


def parse(text: str) -> dict[str, Any]:
    """The fields in the text of an address; their values are validated by :class:`Address`.

    ``table:address[.bit[-last]][:type[[length]]][:coding][:order][:encoding]``, where the table
    ``file`` has its number behind it, or a 5- or 6-digit number in the notation of manuals in
    place of ``table:address``; before it, perhaps, the unit and an exclamation mark.

    Raises:
        ValueError: the text has no such form.
    """
    # Chinese keyboards write wide digits and colons.
    plain = narrow(text).strip()
    unit = _UNIT.match(plain)
    first, *rest = plain[unit.end() if unit else 0 :].split(":")
    file = _FILE.fullmatch(first)
    if file or first in set(Table):
        if not rest:
            raise ValueError(f"{text!r} has no address after the table; write it as {EXAMPLES}")
        table = {"table": Table.FILE, "file": int(file["file"])} if file else {"table": first}
        fields = {**table, **place_of(rest.pop(0), text)}
    else:
        fields = _numbered(first, text)
    if rest:
        fields |= _type(rest.pop(0), text)
    for word in rest:
        fields |= _option(word, text, fields["table"])
    return fields | ({"unit": int(unit["unit"])} if unit else {})


def place_of(word: str, text: str) -> dict[str, Any]:
    """``100``, ``0x64`` or ``64H`` on the wire, perhaps with a bit or several.

    Raises:
        ValueError: it is none of these.
    """
    match = _PLACE.fullmatch(word)
    if match is None:
        raise ValueError(
            f"{word!r} in {text!r} is no address; {_other(word)}write it as {EXAMPLES}"
        )
    written = match["hex"] or match["h"]
    number = int(match["number"]) if written is None else int(written, 16)
    bits = {key: int(match[key]) for key in ("bit", "last_bit") if match[key] is not None}
    return {"address": number, **bits}


def _other(word: str) -> str:
    """What is meant by ``100@2``, with a semicolon behind it; else nothing."""
    number, at, unit = word.partition("@")
    if not at or not number.isdigit() or not unit.isdigit():
        return ""
    return f"a device is one unit, so make one with 'unit: {unit}' in its connection; "


def _numbered(word: str, text: str) -> dict[str, Any]:
    """``40101``, ``400101`` or ``4x0101``: tables by their first digit, counted from 1."""
    plate = PLATE.fullmatch(word)
    word = f"{plate['table']}{_padded(plate['number'])}" if plate else word
    place = _PLACE.fullmatch(word)
    number = (place and place["number"]) or ""
    if len(number) not in (5, 6) or number[0] not in PLATE_TABLES or int(number[1:]) == 0:
        raise ValueError(f"{text!r} is no Modbus address; {_meant(word)}write it as {EXAMPLES}")
    fields = place_of(word, text)
    return {**fields, "table": PLATE_TABLES[number[0]], "address": int(number[1:]) - 1}


def _padded(number: str) -> str:
    digits, point, bits = number.partition(".")
    return f"{digits.zfill(4)}{point}{bits}"


def _meant(word: str) -> str:
    """What a number without a table may mean, with a semicolon behind it; else nothing."""
    if _RECORD.fullmatch(word):
        return "6x are records of files: 'file4:7' is record 7 of file 4, counted from 0; "
    if not _PLACE.fullmatch(word):
        return _other(word)
    wire = place_of(word, word)["address"]
    table = PLATE_TABLES.get(word[0], Table.HOLDING)
    if word.isdigit() and len(word) > 4 and int(word[1:]) == 0:  # noqa: PLR2004 - of a manual
        return f"{word[0]}xxxx counts from 1: '{word[:-1]}1' is '{table}:0'; "
    if word.isdigit() and len(word) == 4 and word[0] in "134":  # noqa: PLR2004 - of a manual
        return f"'{word[0]}0{word[1:]}' in a manual's five digits, 'holding:{wire}' on the wire; "
    return f"it names no table: perhaps 'holding:{wire}' on the wire; "


_OTHER_TYPES = {
    "uint8h": "; the high byte is 'holding:0.8:uint8'",
    "int8h": "; the high byte is 'holding:0.8:int8'",
    "uint8l": "; the low byte is 'uint8'",
    "int8l": "; the low byte is 'int8'",
    "bcd": "; write 'uint16:bcd'",
    "bcd16": "; write 'uint16:bcd'",
    "bcd32": "; write 'uint32:bcd'",
    "bcd64": "; write 'uint64:bcd'",
    "mod10": "; write 'uint64:mod10'",
    "mod10k": "; write 'uint32:mod10', or of more registers 'uint48:mod10' or 'uint64:mod10'",
    "m10k": "; write 'uint32:mod10', or of more registers 'uint48:mod10' or 'uint64:mod10'",
    "sint16": "; sign and magnitude are 'int16:sm'",
    "time": "; write 'datetime', 'datetime:bcd', 'datetime_words', 'datetime_iec' or 'unix32'",
    "date": "; write 'datetime', 'datetime:bcd', 'datetime_words', 'datetime_iec' or 'unix32'",
    "bits": "; some bits are 'holding:0.4-7'",
}
"""Words of other products, and what to write for them."""


def _type(word: str, text: str) -> dict[str, Any]:
    match = _TYPE.fullmatch(word)
    if match is None or match["type"] not in set(DataType):
        meant = _OTHER_TYPES.get(match["type"] if match else word, "")
        raise ValueError(f"{word!r} in {text!r} is no type{meant}; known: {', '.join(DataType)}")
    if match["number"] is None:
        return {"type": match["type"]}
    key = "length" if match["type"] == DataType.STRING else "count"
    return {"type": match["type"], key: int(match["number"])}


_OPTIONS = {"coding": Coding, "order": Order, "encoding": Encoding}


def _option(word: str, text: str, table: str) -> dict[str, Any]:
    if word == Table.ENRON and table == Table.HOLDING:
        return {"table": Table.ENRON}
    for key, words in _OPTIONS.items():
        if word in set(words):
            return {key: word}
    known = ", ".join(str(one) for words in _OPTIONS.values() for one in words)
    raise ValueError(f"{word!r} in {text!r} is no coding, byte order or encoding; known: {known}")
