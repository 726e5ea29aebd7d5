"""A value to write → the library's variant of the tag's type."""

import sys

import numpy as np
from asyncua import ua

from gateway.drivers.api import DriverError, Value

_VARIANTS = {
    "float64": ua.VariantType.Double,
    "float32": ua.VariantType.Float,
    "int64": ua.VariantType.Int64,
    "int32": ua.VariantType.Int32,
    "int16": ua.VariantType.Int16,
    "int8": ua.VariantType.SByte,
    "uint64": ua.VariantType.UInt64,
    "uint32": ua.VariantType.UInt32,
    "uint16": ua.VariantType.UInt16,
    "uint8": ua.VariantType.Byte,
    "bool": ua.VariantType.Boolean,
    "string": ua.VariantType.String,
}


_LARGEST = {"float64": sys.float_info.max, "float32": float(np.finfo(np.float32).max)}


def variant_of(type_name: str, value: Value, attempted: str) -> ua.Variant:
    """The variant to send.

    Args:
        type_name: type of the tag.
        value: value to write.
        attempted: what is tried, for the message.

    Raises:
        DriverError: the value does not fit the type, or the type cannot be written.
    """
    variant = _VARIANTS.get(type_name)
    if variant is None:
        raise DriverError(f"{attempted}: a {type_name} cannot be written")
    if not _fits(type_name, value):
        raise DriverError(f"{attempted}: {value!r} is no {type_name}")
    return ua.Variant(float(value) if type_name.startswith("float") else value, variant)


def _fits(type_name: str, value: Value) -> bool:
    if type_name == "bool":
        return isinstance(value, bool)
    if type_name == "string":
        return isinstance(value, str)
    if isinstance(value, bool | str):
        return False
    if type_name.startswith("float"):
        return abs(value) <= _LARGEST[type_name]
    return isinstance(value, int) and _in_range(type_name, value)


def _in_range(type_name: str, value: int) -> bool:
    bits = int(type_name.lstrip("uint"))
    if type_name.startswith("u"):
        return 0 <= value < 1 << bits
    return -(1 << bits - 1) <= value < 1 << bits - 1
