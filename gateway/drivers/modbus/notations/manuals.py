"""The notations of manuals: what a number in a point table is on the wire. Pure."""

import re
from typing import Any

from edge_config.models.gateway import Notation
from edge_config.models.wide import narrow
from gateway.drivers.modbus.address import Address
from gateway.drivers.modbus.codec import ADDRESSES, Table
from gateway.drivers.modbus.notations.text import PLATE, PLATE_TABLES

_PLAIN = re.compile(r"[0-9]{5,6}(?![0-9])", re.ASCII)
_PRINTED = {Table.HOLDING: 40_001, Table.INPUT: 30_001, Table.DISCRETE: 10_001}
"""First five-digit number of a table in manuals that count from 1; they have 9,999 each."""


def in_notation(written: Any, notation: Notation) -> Any:
    """The address without the notation of its profile.

    ``reference`` is how plain numbers are read anyway. In the others a plain number is one of
    the holding registers: as in a request (``wire``), the same in base 16 (``hex``), or counted
    from 1 (``from_1``); so are the numbers behind the name of a table.

    Raises:
        ValueError: the address is in another notation.
    """
    if notation == "reference":
        return written
    if isinstance(written, dict):
        return _mapping(written, notation)
    return _text(narrow(written).strip(), notation) if isinstance(written, str) else written


def noted(address: Address, notation: Notation | None) -> str:
    """The text form of an address in a notation: the inverse of :func:`in_notation`."""
    head, place, *rest = str(address).split(":")
    _, point, bits = place.partition(".")
    return ":".join((head, f"{_printed(address, notation)}{point}{bits}", *rest))


def noted_fields(address: Address, notation: Notation | None) -> dict[str, str]:
    """Its number in a notation, where that is another one."""
    is_other = notation in ("from_1", "hex") and address.file is None
    return {"address": _printed(address, notation)} if is_other else {}


def _printed(address: Address, notation: Notation | None) -> str:
    """The number of an address as a manual has it: the inverse of :func:`_on_wire`.

    Records of files count from 0 in each.
    """
    if address.file is not None:
        return str(address.address)
    if notation == "from_1":
        return str(address.address + 1)
    return f"{address.address:X}" if notation == "hex" else str(address.address)


def _text(text: str, notation: Notation) -> str:
    plate = PLATE.fullmatch(text.partition(":")[0])
    if plate:
        raise ValueError(_of_another_manual(plate, notation))
    unit, mark, place = text.rpartition("!")
    head, colon, rest = place.partition(":")
    if head not in set(Table):
        if not re.match(_STARTS[notation], place, re.IGNORECASE):
            return text
        head, colon, rest = Table.HOLDING, ":", place
    number, *options = rest.split(":")
    return ":".join((f"{unit}{mark}{head}{colon}{_on_wire(number, notation)}", *options))


_STARTS = {"wire": r"\d", "from_1": r"\d", "hex": r"[0-9a-f]+(h|\.|:|$)|0x"}
"""How a text begins that is a plain number."""


def _on_wire(word: str, notation: Notation) -> str:
    """A number of a manual as it is in a request; what is none stays, to be refused."""
    number, point, bits = word.partition(".")
    if notation == "hex":
        digits = number.lower().removeprefix("0x").removesuffix("h")
        is_number = re.fullmatch(r"[0-9a-f]+", digits) is not None
        return f"{int(digits, 16)}{point}{bits}" if is_number else word
    if notation == "from_1" and number.isdecimal():
        return f"{_from_1(int(number))}{point}{bits}"
    return word


def _from_1(number: int) -> int:
    if number == 0:
        raise ValueError("0 cannot be: the profile says 'notation: from_1', which counts from 1")
    return number - 1


def _mapping(written: dict[str, Any], notation: Notation) -> dict[str, Any]:
    number = written.get("address")
    if written.get("table") == Table.FILE:
        return written
    if notation == "from_1" and isinstance(number, int):
        return {**written, "address": _from_1(number)}
    if isinstance(number, str):
        return {**written, "address": _on_wire(narrow(number).strip(), notation)}
    if notation == "hex" and isinstance(number, int):
        raise ValueError(
            f"the profile says 'notation: hex', and {number} was read in base 10: put the "
            f"address in quotes, '{number}' or '{number:X}'"
        )
    return written


def _of_another_manual(plate: re.Match[str], notation: Notation) -> str:
    """What to write for ``4x0101`` in a profile whose numbers are others."""
    table, number = PLATE_TABLES[plate["table"]], plate["number"]
    first, dot, bit = number.partition(".")
    counted = f"'{table}:{int(first) - 1}{dot}{bit}' or " if int(first) else ""
    return (
        f"'{plate[0]}' names its table and counts from 1, as manuals do, but the profile says "
        f"'notation: {notation}'; write {counted}'{table}:{int(first)}{dot}{bit}', whichever the "
        "manual means – compare one known value –, or say 'notation: reference'"
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
