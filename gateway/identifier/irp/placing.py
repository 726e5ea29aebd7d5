"""Which server of a site answers for a handle (RFC 3651, 3.2.2). Pure."""

import hashlib

from gateway.identifier.irp.data import BY_PREFIX, BY_SUFFIX, Server, Site

_MIN_INT32 = -(2**31)


def placing_hash(handle: str, hashing: int) -> int:
    """The number by which a server is chosen: equal for handles that differ in case only.

    The last four octets of an MD5 as a number with a sign, without it; the least such number has
    no opposite in 32 bits, so it stays negative in other implementations, and is 0 here.
    """
    prefix, _, suffix = handle.partition("/")
    part = {BY_PREFIX: prefix, BY_SUFFIX: suffix}.get(hashing, handle)
    digest = hashlib.md5(_upper(part).encode(), usedforsecurity=False).digest()
    number = int.from_bytes(digest[-4:], "big", signed=True)
    return 0 if number == _MIN_INT32 else abs(number)


def server_of(site: Site, handle: str) -> Server:
    """The server that holds a handle."""
    return site.servers[placing_hash(handle, site.hashing) % len(site.servers)]


def _upper(part: str) -> str:
    """ASCII letters only, as other implementations do it."""
    return part.translate(_CAPITALS)


_CAPITALS = {ord(letter): letter.upper() for letter in "abcdefghijklmnopqrstuvwxyz"}
