"""Values of handles in the JSON of Handle.Net's servers (8 and 9), and back. Pure."""

import binascii
import struct
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from gateway.identifier.irp.json_data import (
    read_data,
    read_reference_list,
    write_data,
    write_reference_list,
)
from gateway.identifier.irp.octets import WireError
from gateway.identifier.irp.values import ABSOLUTE, DAY_S, RELATIVE, USUAL, Value

_INDEXES = range(1, 2**31)
_TTLS = range(2**31)
_PERMISSIONS = range(16)


def write_json(value: Value) -> dict[str, Any]:
    """A value; octets that are no UTF-8 are written in base64."""
    told: dict[str, Any] = {
        "index": value.index,
        "type": value.type,
        "data": write_data(value.type, value.data),
        "ttl": _moment(value.ttl_s) if value.ttl_kind == ABSOLUTE else value.ttl_s,
        "permissions": f"{value.permissions:04b}",
    }
    if value.timestamp_s:
        told["timestamp"] = _moment(value.timestamp_s)
    if value.references:
        told["references"] = write_reference_list(value.references)
    return told


def _moment(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_json(one: object) -> Value:
    """A value, without the time of its change, which its server knows.

    Raises:
        WireError: it is none, or its data are of another format.
    """
    try:
        if not isinstance(one, Mapping) or type(one["index"]) is not int:
            raise WireError("a value without an index")
        if one["index"] not in _INDEXES:
            raise WireError(f"an index of {one['index']}")
        ttl_kind, ttl_s = _ttl(one.get("ttl", DAY_S))
        permissions = int(one.get("permissions", f"{USUAL:04b}"), 2)
        if permissions not in _PERMISSIONS:
            raise WireError("permissions that are none")
        return Value(
            one["index"],
            str(one["type"]),
            read_data(one["data"]),
            ttl_s=ttl_s,
            ttl_kind=ttl_kind,
            permissions=permissions,
            references=read_reference_list(one.get("references", ())),
        )
    except (
        AttributeError,
        KeyError,
        TypeError,
        ValueError,
        OverflowError,
        binascii.Error,
        struct.error,
    ) as error:
        raise WireError(f"no value: {error}") from None


def _ttl(written: Any) -> tuple[int, int]:
    if isinstance(written, str):
        return ABSOLUTE, int(datetime.fromisoformat(written).timestamp())
    if type(written) is not int or written not in _TTLS:  # a float is looked for one by one
        raise WireError("a time to live that is none")
    return RELATIVE, written
