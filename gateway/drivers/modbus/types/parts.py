"""What can be written, and bits of a number without the others. Pure."""

from gateway.drivers.modbus.address import Address
from gateway.drivers.modbus.codec import Table
from gateway.drivers.modbus.types.names import Value
from gateway.drivers.modbus.types.numbers import encode_number
from gateway.drivers.modbus.types.orders import Order

_BITS = 16
"""Of a register."""


def read_only(address: Address) -> str:
    """Why its value cannot be written; empty: it can."""
    if not address.table.is_writable:
        return f"table {address.table} cannot be written"
    first = address.bit or 0
    last = first if address.last_bit is None else address.last_bit
    if address.is_part and address.table is Table.FILE:
        return "no request changes some bits of a record alone; write the whole record"
    if first // _BITS != last // _BITS:
        return (
            f"bits {first} to {last} lie in several registers, which no request changes at once "
            "and alone; write them in parts, or the whole number"
        )
    return ""


def mask(address: Address, order: Order, value: Value) -> tuple[int, int, int]:
    """What function 22 changes to write a part: the inverse of reading it.

    Args:
        address: of a part whose bits are in one register.
        order: of the number that it is part of.
        value: what is to be written.

    Returns:
        Address of the register, its bits that stay as they are, and those of the others that
        are set.

    Raises:
        ValueError: it cannot hold the value.
    """
    bits = _bits(address, value)
    word, first = divmod(address.bit or 0, _BITS)  # the lowest word of the number is 0
    register = word if order.swaps_words else address.host.registers - 1 - word
    swap = 8 if order.swaps_bytes else 0
    places = [1 << ((first + at) ^ swap) for at in range(len(bits))]
    added = sum(place for place, is_set in zip(places, bits, strict=True) if is_set)
    return address.address + register, ~sum(places) & 0xFFFF, added


def _bits(address: Address, value: Value) -> list[bool]:
    """What a part is to hold, the lowest bit first; ValueError: it cannot."""
    if address.is_bit:
        if not isinstance(value, bool):
            raise ValueError(f"{value!r} is no bool")
        return [value]
    count = 8 if address.last_bit is None else address.last_bit - (address.bit or 0) + 1
    if address.last_bit is None:
        whole = encode_number(address.type, Order.ABCD, value, address.coding)[-1]
    elif isinstance(value, str | bool) or not 0 <= value < 1 << count or value != int(value):
        raise ValueError(f"{value!r} is no whole number from 0 to {(1 << count) - 1}")
    else:
        whole = int(value)
    return [bool(whole >> at & 1) for at in range(count)]
