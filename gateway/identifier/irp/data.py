"""What values of the protocol's own types hold (RFC 3651, 3.2). Pure."""

from enum import IntFlag
from ipaddress import IPv4Address, IPv6Address, ip_address
from struct import Struct

import msgspec

from gateway.identifier.irp.octets import U32, Octets, WireError, blob, many, text

_U16 = Struct(">H")
_ADDRESS_SIZE = 16


class Right(IntFlag):
    """What an administrator may do."""

    ADD_HANDLE = 0x001
    DELETE_HANDLE = 0x002
    ADD_PREFIX = 0x004
    DELETE_PREFIX = 0x008
    MODIFY_VALUE = 0x010
    REMOVE_VALUE = 0x020
    ADD_VALUE = 0x040
    MODIFY_ADMIN = 0x080
    REMOVE_ADMIN = 0x100
    ADD_ADMIN = 0x200
    READ_VALUE = 0x400
    LIST_HANDLES = 0x800


USUAL_RIGHTS = (
    Right.ADD_HANDLE
    | Right.DELETE_HANDLE
    | Right.MODIFY_VALUE
    | Right.REMOVE_VALUE
    | Right.ADD_VALUE
    | Right.MODIFY_ADMIN
    | Right.REMOVE_ADMIN
    | Right.ADD_ADMIN
    | Right.READ_VALUE
)
"""Of who administers a handle: all but prefixes below it, and lists of it."""


class Admin(msgspec.Struct, frozen=True, gc=False):
    """HS_ADMIN: who may administer a handle.

    Attributes:
        rights: of ``Right``.
        handle: that holds the administrator's key, or a list of administrators.
        index: of that value; 0: any.
    """

    rights: int
    handle: str
    index: int


def write_admin(admin: Admin) -> bytes:
    """Data of an HS_ADMIN."""
    return _U16.pack(admin.rights) + text(admin.handle) + U32.pack(admin.index)


def read_admin(data: bytes) -> Admin:
    """Data of an HS_ADMIN; old ones have two zeros behind them.

    Raises:
        WireError: something else.
    """
    octets = Octets(data)
    (rights,) = octets.unpack(_U16)
    admin = Admin(rights, octets.text(), octets.u32())
    if octets.left == _U16.size:
        octets.unpack(_U16)
    octets.ended()
    return admin


ADMINISTER, ASK, BOTH = 1, 2, 3
"""What an interface is for."""
UDP, TCP, HTTP, HTTPS = 0, 1, 2, 3
"""Protocols of an interface."""


class Interface(msgspec.Struct, frozen=True, gc=False):
    """A way to a server: what for, by which protocol, at which port."""

    use: int
    protocol: int
    port: int


class Server(msgspec.Struct, frozen=True, gc=False):
    """A server of a site.

    Attributes:
        id: its number within the site.
        address: IP address, in text.
        key: its public key as ``write_rsa_key`` writes it; may be empty.
        interfaces: ways to it.
    """

    id: int
    address: str
    interfaces: tuple[Interface, ...]
    key: bytes = b""


BY_PREFIX, BY_SUFFIX, BY_ALL = 0, 1, 2
"""By which part of a handle one of several servers is chosen."""
PRIMARY, MULTI_PRIMARY = 0x80, 0x40


class Site(msgspec.Struct, frozen=True):
    """HS_SITE: the servers that answer for a prefix.

    Attributes:
        servers: at least one.
        serial: counts the changes of this description.
        is_primary: takes changes, too.
        hashing: BY_PREFIX, BY_SUFFIX or BY_ALL.
        attributes: (name, value), as desc, domain, path.
        version: of the protocol, (major, minor).
        filter: unused by implementations.
        has_peers: several primaries.
    """

    servers: tuple[Server, ...]
    serial: int = 1
    is_primary: bool = True
    hashing: int = BY_ALL
    attributes: tuple[tuple[str, str], ...] = ()
    version: tuple[int, int] = (2, 11)
    filter: str = ""
    has_peers: bool = False


_SITE = Struct(">HBBHBB")
_SITE_VERSION = 1
_INTERFACE = Struct(">BBI")
_SERVER_LEAST = U32.size + _ADDRESS_SIZE + 2 * U32.size


def write_site(site: Site) -> bytes:
    """Data of an HS_SITE."""
    mask = PRIMARY * site.is_primary | MULTI_PRIMARY * site.has_peers
    return b"".join(
        (
            _SITE.pack(_SITE_VERSION, *site.version, site.serial, mask, site.hashing),
            text(site.filter),
            many([text(name) + text(value) for name, value in site.attributes]),
            many([_write_server(server) for server in site.servers]),
        )
    )


def read_site(data: bytes) -> Site:
    """Data of an HS_SITE.

    Raises:
        WireError: something else, or a site without servers.
    """
    octets = Octets(data)
    _, major, minor, serial, mask, hashing = octets.unpack(_SITE)
    filtered = octets.text()
    attributes = octets.many(lambda one: (one.text(), one.text()), 2 * U32.size)
    servers = octets.many(_read_server, _SERVER_LEAST)
    octets.ended()
    if not servers or hashing > BY_ALL:
        raise WireError(f"a site of {len(servers)} servers, chosen by rule {hashing}")
    flags = bool(mask & PRIMARY), bool(mask & MULTI_PRIMARY)
    version = major, minor
    return Site(servers, serial, flags[0], hashing, attributes, version, filtered, flags[1])


def _write_server(server: Server) -> bytes:
    address = ip_address(server.address)
    packed = bytes(_ADDRESS_SIZE - len(address.packed)) + address.packed
    ways = [_INTERFACE.pack(one.use, one.protocol, one.port) for one in server.interfaces]
    return U32.pack(server.id) + packed + blob(server.key) + many(ways)


def _read_server(octets: Octets) -> Server:
    number, packed = octets.u32(), octets.take(_ADDRESS_SIZE)
    key = octets.blob()
    interfaces = octets.many(_read_interface, _INTERFACE.size)
    return Server(number, _address(packed), interfaces, key)


def _read_interface(octets: Octets) -> Interface:
    return Interface(*octets.unpack(_INTERFACE))


def _address(packed: bytes) -> str:
    """IPv4 stands in the last four octets, behind zeros; ``::1`` looks like 0.0.0.1 and is not."""
    if any(packed[:12]) or packed == IPv6Address("::1").packed:
        address = IPv6Address(packed)
        return str(address.ipv4_mapped or address)
    return str(IPv4Address(packed[12:]))
