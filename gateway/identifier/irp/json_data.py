"""Data of values in the JSON of Handle.Net's servers (8 and 9), and back. Pure."""

import base64
from collections.abc import Callable, Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

from gateway.identifier.irp.data import (
    ADMINISTER,
    ASK,
    HTTP,
    HTTPS,
    TCP,
    UDP,
    Admin,
    Interface,
    Server,
    Site,
    read_admin,
    read_site,
    write_admin,
    write_site,
)
from gateway.identifier.irp.octets import Octets, WireError
from gateway.identifier.irp.proofs import read_rsa_key, write_rsa_key
from gateway.identifier.irp.values import Reference, read_references, write_references

Json = dict[str, Any]
_PROTOCOLS = {UDP: "UDP", TCP: "TCP", HTTP: "HTTP", HTTPS: "HTTPS"}
_NUMBERS = {name: number for number, name in _PROTOCOLS.items()}
_RIGHTS_DIGITS = 12


def write_data(kind: str, data: bytes) -> Json:
    """Octets of a value of a type; what is not as its type wants it is text, or base64."""
    form, write = _WRITERS.get(kind, ("", None))
    try:
        if write is not None:
            return {"format": form, "value": write(data)}
    except (WireError, KeyError):
        pass
    try:
        return {"format": "string", "value": data.decode()}
    except UnicodeDecodeError:
        return {"format": "base64", "value": base64.b64encode(data).decode()}


def read_data(data: Any) -> bytes:
    """Octets of a value; servers write texts without a format, too.

    Raises:
        WireError: another format.
        KeyError, TypeError, ValueError, OverflowError, struct.error: not of its format.
    """
    if isinstance(data, str):
        return data.encode()
    read = _READERS.get(data["format"])
    if read is None:
        raise WireError(f"data of the format {data['format']!r}")
    return read(data["value"])


def _admin(data: bytes) -> Json:
    admin = read_admin(data)
    rights = f"{admin.rights:0{_RIGHTS_DIGITS}b}"
    return {"handle": admin.handle, "index": admin.index, "permissions": rights}


def _admin_of(value: Any) -> bytes:
    rights = int(value["permissions"], 2)
    return write_admin(Admin(rights, str(value["handle"]), value["index"]))


def _list(data: bytes) -> list[Json]:
    octets = Octets(data)
    found = read_references(octets)
    octets.ended()
    return write_reference_list(found)


def write_reference_list(references: tuple[Reference, ...]) -> list[Json]:
    """References to values of other handles."""
    return [{"handle": one.handle, "index": one.index} for one in references]


def read_reference_list(listed: Any) -> tuple[Reference, ...]:
    """References to values of other handles; raises as :func:`read_data` does."""
    references = tuple(Reference(str(one["handle"]), one["index"]) for one in listed)
    write_references(references)  # what cannot be written is none
    return references


def _key(data: bytes) -> Json:
    numbers = read_rsa_key(data).public_numbers()
    return {"kty": "RSA", "n": _digits(numbers.n), "e": _digits(numbers.e)}


def _key_of(value: Any) -> bytes:
    if value["kty"] != "RSA":
        raise WireError(f"a key of the kind {value['kty']!r}; RSA is what is understood")
    return write_rsa_key(RSAPublicNumbers(_number(value["e"]), _number(value["n"])).public_key())


def _digits(number: int) -> str:
    octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def _number(digits: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(digits + "=" * (-len(digits) % 4)), "big")


def _site(data: bytes) -> Json:
    site = read_site(data)
    major, minor = site.version
    return {
        "version": 1,
        "protocolVersion": f"{major}.{minor}",
        "serialNumber": site.serial,
        "primarySite": site.is_primary,
        "multiPrimary": site.has_peers,
        "hashOption": site.hashing,
        "attributes": [{"name": name, "value": value} for name, value in site.attributes],
        "servers": [_server(one) for one in site.servers],
    }


def _server(server: Server) -> Json:
    told: Json = {"serverId": server.id, "address": server.address}
    if server.key:
        told["publicKey"] = write_data("HS_PUBKEY", server.key)
    told["interfaces"] = [
        {
            "query": bool(one.use & ASK),
            "admin": bool(one.use & ADMINISTER),
            "protocol": _PROTOCOLS[one.protocol],
            "port": one.port,
        }
        for one in server.interfaces
    ]
    return told


def _site_of(value: Any) -> bytes:
    major, _, minor = value.get("protocolVersion", "2.11").partition(".")
    site = Site(
        tuple(_server_of(one) for one in value["servers"]),
        value.get("serialNumber", 1),
        value.get("primarySite", True),
        value.get("hashOption", 2),
        tuple((str(one["name"]), str(one["value"])) for one in value.get("attributes", [])),
        (int(major), int(minor)),
        has_peers=value.get("multiPrimary", False),
    )
    written = write_site(site)
    read_site(written)  # a site without servers is none
    return written


def _server_of(value: Any) -> Server:
    key = read_data(value["publicKey"]) if "publicKey" in value else b""
    ways = tuple(
        Interface(
            ASK * bool(one["query"]) | ADMINISTER * bool(one["admin"]),
            _NUMBERS[one["protocol"]],
            one["port"],
        )
        for one in value["interfaces"]
    )
    return Server(value["serverId"], value["address"], ways, key)


_WRITERS: Mapping[str, tuple[str, Callable[[bytes], Any]]] = {
    "HS_ADMIN": ("admin", _admin),
    "HS_VLIST": ("vlist", _list),
    "HS_SITE": ("site", _site),
    "HS_PUBKEY": ("key", _key),
}
_READERS: Mapping[str, Callable[[Any], bytes]] = {
    "string": lambda value: str(value).encode(),
    "base64": lambda value: base64.b64decode(value, validate=True),
    "hex": bytes.fromhex,
    "admin": _admin_of,
    "vlist": lambda value: write_references(read_reference_list(value)),
    "site": _site_of,
    "key": _key_of,
}
