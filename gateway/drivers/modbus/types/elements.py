"""What stands at an address, as the toolkit reads it and as it is written. Pure."""

from functools import partial

from gateway.drivers.modbus.address import Address
from gateway.drivers.modbus.types.dates import LAYOUTS, decode_date, encode_date
from gateway.drivers.modbus.types.names import DataType, Value
from gateway.drivers.modbus.types.numbers import container, encode_number, number_format
from gateway.drivers.modbus.types.orders import Order, permutation
from gateway.drivers.modbus.types.texts import Encoding, decode_text, encode_text
from gateway.drivers.toolkit.decode import Bit, Format, Number, Text
from gateway.drivers.toolkit.transforms import BitField


def format_of(address: Address, device_order: Order) -> Format:
    """How the decoder reads it.

    Args:
        address: one value, no array.
        device_order: of its device, where the address names none.
    """
    order = address.order or device_order
    if address.table.is_bits:
        return Bit()
    if address.is_bit:
        return _bit(address, order)
    if address.type is DataType.STRING:
        decode = partial(decode_text, encoding=address.encoding or Encoding.ASCII, order=order)
        return Text(2 * address.span, decode)
    if address.type.is_date:
        layout = LAYOUTS[address.type, address.coding]
        return Text(address.type.size, partial(decode_date, layout=layout, order=order))
    return _number(address, order)


def _bit(address: Address, order: Order) -> Bit:
    """One bit of a number: its byte is looked up by the order, its place in it stays."""
    byte, bit = divmod(address.bit or 0, 8)
    places = permutation(order, container(address.host))[::-1]
    return Bit(8 * places[byte] + bit)


def _number(address: Address, order: Order) -> Number:
    if address.last_bit is None:
        return number_format(address.type, order, address.coding, (address.bit or 0) // 8)
    first = address.bit or 0
    whole = number_format(address.host, order, None, 0)
    return Number(whole.code, whole.order, BitField(first, address.last_bit - first + 1))


def encode(address: Address, device_order: Order, value: Value) -> bytes:
    """Its registers with a value, the exact inverse of reading.

    Raises:
        ValueError: the value does not fit, or the address is only a part of a register.
    """
    order = address.order or device_order
    if address.is_part:
        raise ValueError("a part of a register cannot be written")
    if address.type is DataType.STRING:
        return encode_text(address.span, address.encoding or Encoding.ASCII, order, value)
    if address.type.is_date:
        return encode_date(LAYOUTS[address.type, address.coding], order, value)
    return encode_number(address.type, order, value, address.coding)
