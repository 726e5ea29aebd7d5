"""What registers hold that gave a number, and what they say in the other byte orders. Pure."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from gateway.drivers.api import Value
from gateway.drivers.modbus.address import Address
from gateway.drivers.modbus.codec import Table
from gateway.drivers.modbus.config import Connection
from gateway.drivers.modbus.search.detective import decoded
from gateway.drivers.modbus.types.elements import encode
from gateway.drivers.modbus.types.names import Coding, DataType
from gateway.drivers.modbus.types.orders import Order
from gateway.drivers.search import InOrder


def held(connection: Connection, address: Address, value: Value) -> bytes | None:
    """The registers of which a number was read, by the exact inverse of reading.

    None where two patterns give one value – NaN, a negative zero, parts of registers – so that
    nobody can say which of them it was.
    """
    if not _has_one_pattern(address) or isinstance(value, str | bool) or not math.isfinite(value):
        return None
    if address.type is DataType.FLOAT16:  # pages show the shortest text of the wider column
        value = float(np.float32(value))
    return encode(address, connection.order, value)


def in_orders(connection: Connection, address: Address, body: bytes) -> list[InOrder]:
    """What registers say in each byte order of their type, the configured one first."""
    words = [int.from_bytes(body[at : at + 2], "big") for at in range(0, len(body), 2)]
    addresses = list(_in_each_order(address, connection.order))
    found = decoded(addresses, dict(enumerate(words, address.address)), connection)
    return [InOrder(str(one.address.order), one.value) for one in found]


def _has_one_pattern(address: Address) -> bool:
    is_number = address.type is not DataType.STRING and not address.type.is_date
    is_whole = not address.is_part and address.type.size == 2 * address.type.registers
    is_in_words = address.table in (Table.HOLDING, Table.INPUT)
    return is_number and is_whole and is_in_words and address.coding in (None, Coding.BCD)


def _in_each_order(address: Address, usual: Order) -> Iterator[Address]:
    written = address.order or usual
    for order in sorted(Order, key=lambda one: one is not written):
        try:
            yield replace(address, order=order)
        except ValueError:  # it means nothing for this type
            continue
