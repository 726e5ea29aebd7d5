"""Values of handles in the JSON of Handle.Net's servers (8 and 9), and back. Pure."""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gateway.identifier.irp.data import Admin, read_admin, write_admin
from gateway.identifier.irp.octets import WireError
from gateway.identifier.irp.values import ABSOLUTE, DAY_S, RELATIVE, USUAL, Value

_ADMIN = "HS_ADMIN"
_INDEXES = range(1, 2**31)
_TTLS = range(2**31)


def write_json(value: Value) -> dict[str, Any]:
    """A value; octets that are no UTF-8 are written in base64."""
    return {
        "index": value.index,
        "type": value.type,
        "data": _admin(value.data) if value.type == _ADMIN else _octets(value.data),
        "ttl": value.ttl_s,
        "permissions": f"{value.permissions:04b}",
    }


def _admin(data: bytes) -> dict[str, Any]:
    admin = read_admin(data)
    held = {"handle": admin.handle, "index": admin.index, "permissions": f"{admin.rights:012b}"}
    return {"format": "admin", "value": held}


def _octets(data: bytes) -> dict[str, Any]:
    try:
        return {"format": "string", "value": data.decode()}
    except UnicodeDecodeError:
        return {"format": "base64", "value": base64.b64encode(data).decode()}


def read_json(one: object) -> Value:
    """A value; of its data, texts, octets and administrators are understood.

    Raises:
        WireError: it is none, or its data are of another format.
    """
    try:
        if not isinstance(one, Mapping) or one["index"] not in _INDEXES:
            raise WireError("a value without an index")
        ttl_kind, ttl_s = _ttl(one.get("ttl", DAY_S))
        permissions = int(one.get("permissions", f"{USUAL:04b}"), 2)
        data = _data(one["data"])
        return Value(
            one["index"],
            str(one["type"]),
            data,
            ttl_s=ttl_s,
            ttl_kind=ttl_kind,
            permissions=permissions,
        )
    except (KeyError, TypeError, ValueError, binascii.Error, OverflowError) as error:
        raise WireError(f"no value: {error}") from None


def _ttl(written: Any) -> tuple[int, int]:
    if isinstance(written, str):
        return ABSOLUTE, int(datetime.fromisoformat(written).timestamp())
    if written not in _TTLS:
        raise WireError("a time to live that is none")
    return RELATIVE, written


def _data(data: Any) -> bytes:
    """Octets of ``data``; servers write texts without a format, too."""
    if isinstance(data, str):
        return data.encode()
    kind, value = data["format"], data["value"]
    if kind == "string":
        return str(value).encode()
    if kind == "base64":
        return base64.b64decode(value, validate=True)
    if kind == "hex":
        return bytes.fromhex(value)
    if kind == "admin":
        rights = int(value["permissions"], 2)
        return write_admin(Admin(rights, str(value["handle"]), value["index"]))
    raise WireError(f"data of the format {kind!r}")
