"""How far into networks a server may refer. Pure.

A site is a list of addresses that a stranger has written. One that leads into the network of
whoever asks would make him knock at doors that the stranger cannot reach himself.
"""

from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

_CARRYING = IPv6Network("64:ff9b::/96")
"""Addresses that hold one of IPv4 in their last four octets (RFC 6052)."""


class Scope(IntEnum):
    """Who can reach an address; the fewer, the lower."""

    HOST = 0
    LINK = 1
    PRIVATE = 2
    PUBLIC = 3


def scope_of(address: str) -> Scope | None:
    """Who can reach an address; a name counts as public.

    Returns:
        None where no server can be: unspecified and multicast addresses.
    """
    try:
        found = _carried(ip_address(address))
    except ValueError:
        return Scope.PUBLIC
    if found.is_unspecified or found.is_multicast:
        return None
    if found.is_loopback:
        return Scope.HOST
    if found.is_link_local:
        return Scope.LINK
    return Scope.PUBLIC if found.is_global else Scope.PRIVATE


def _carried(found: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The address of IPv4 that one of IPv6 stands for."""
    if not isinstance(found, IPv6Address):
        return found
    if found in _CARRYING:
        return IPv4Address(found.packed[-4:])
    return found.ipv4_mapped or found.sixtofour or found


def may_refer(told_by: str, address: str, least: Scope) -> bool:
    """Whether a server may send us to an address.

    Args:
        told_by: address of the server that says so; it may name what is as far inside as itself.
        address: where it sends us.
        least: what every server may name.
    """
    scope, own = scope_of(address), scope_of(told_by)
    return scope is not None and scope >= min(least, Scope.PUBLIC if own is None else own)
