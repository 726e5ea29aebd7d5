"""Numbers in registers: how they are read, and the bytes of one to write. Pure."""

import math
from functools import cache
from struct import Struct, error

import numpy as np

from gateway.drivers.modbus.types.names import Coding, DataType, Value
from gateway.drivers.modbus.types.orders import Order, permutation, reorder
from gateway.drivers.toolkit.decode import Number
from gateway.drivers.toolkit.transforms import Modulo, PackedDecimal, SignMagnitude, Transform

_FLOATS = {
    DataType.FLOAT16: Struct(">e"),
    DataType.FLOAT32: Struct(">f"),
    DataType.FLOAT64: Struct(">d"),
}


def container(data_type: DataType) -> int:
    """Bytes of the registers that hold a number: those of int8 and int24 hold more than it."""
    return 2 * data_type.registers


@cache  # ten thousand tags have a dozen
def number_format(data_type: DataType, order: Order, coding: Coding | None, first: int) -> Number:
    """How the decoder reads a number.

    Args:
        data_type: an integer or a float.
        order: on the wire.
        coding: of an integer that is not in plain binary.
        first: byte of its registers with which it begins, 0 the lowest.
    """
    places = permutation(order, container(data_type))[::-1]
    then = None if coding is None else transform(data_type, coding)
    is_plain = data_type.is_float or (data_type.is_signed and then is None)
    sign = ("f" if data_type.is_float else "i") if is_plain else "u"
    width = 1 << (data_type.size - 1).bit_length()
    return Number(f"{sign}{width}", tuple(places[first : first + data_type.size]), then)


def transform(data_type: DataType, coding: Coding) -> Transform:
    """What a coding makes of the bits of an integer."""
    if coding is Coding.BCD:
        return PackedDecimal(2 * data_type.size)
    if coding is Coding.SM:
        return SignMagnitude(8 * data_type.size)
    return Modulo(data_type.registers, data_type.is_signed)


def encode_number(
    data_type: DataType, order: Order, value: Value, coding: Coding | None = None
) -> bytes:
    """The registers of a number.

    Raises:
        ValueError: the value does not fit the type, or is no number, or not finite.
    """
    if isinstance(value, str | bool) or not abs(value) < math.inf:
        raise ValueError(f"{value!r} is no finite number")
    if data_type.is_float:
        return reorder(_float(data_type, value), order)
    if value != int(value):
        raise ValueError(f"{value!r} is no whole number, as {data_type} needs")
    return reorder(_whole(data_type, coding, int(value)), order)


def _float(data_type: DataType, value: float) -> bytes:
    try:
        body = _FLOATS[data_type].pack(value)
    except (error, OverflowError) as problem:
        raise ValueError(f"{value!r} does not fit {data_type}") from problem
    if data_type is DataType.FLOAT16:  # whose column is wider, so that nobody else has seen it
        _demand_exact(value, np.float16(value))
    return body


def _demand_exact(value: float, near: np.float16) -> None:
    if float(near) == value:  # as a float16 the value would be the near one in any case
        return
    with np.errstate(over="ignore"):
        beyond = np.nextafter(near, np.float16(math.copysign(math.inf, value - float(near))))
    both = [str(np.float32(one)) for one in sorted((near, beyond)) if np.isfinite(one)]
    raise ValueError(
        f"{np.float32(value)!s} cannot be written exactly as float16; the nearest that can are "
        f"{' and '.join(both)}"
    )


def _whole(data_type: DataType, coding: Coding | None, value: int) -> bytes:
    size = container(data_type)
    if coding is not None:
        return transform(data_type, coding).raw_of(value).to_bytes(size, "big")
    least, most = range_of(data_type, None)
    if not least <= value <= most:
        raise ValueError(f"{value!r} does not fit {data_type}")
    return value.to_bytes(size, "big", signed=data_type.is_signed)


def range_of(data_type: DataType, coding: Coding | None) -> tuple[int, int]:
    """The least and the greatest value of an integer."""
    bits, words = 8 * data_type.size, data_type.registers
    if coding is Coding.BCD:
        return 0, 10 ** (2 * data_type.size) - 1
    if coding is Coding.MOD10:
        most = 10_000**words - 1
        return (-most if data_type.is_signed else 0), most
    if not data_type.is_signed:
        return 0, (1 << bits) - 1
    most = (1 << bits - 1) - 1
    return (-most if coding is Coding.SM else -most - 1), most
