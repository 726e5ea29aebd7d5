"""Which addresses a webhook may be at. Pure."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_TRANSLATED = (
    (ip_network("64:ff9b::/96"), 0),  # RFC 6052: an IPv4 address behind a translator
    (ip_network("2002::/16"), 80),  # RFC 3056: 6to4, the IPv4 address behind the first 16 bits
)


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public Internet.

    Private, loopback, link-local (169.254.169.254 of clouds among them), shared, reserved,
    documentation and multicast addresses are not, nor IPv6 addresses that stand for such an IPv4
    one.

    Args:
        address: as a resolver gives it; a zone behind ``%`` makes it none.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and (inner := _inner(found)) is not None:
        return _is_public(inner)
    return _is_public(found)


def _is_public(found: IPv4Address | IPv6Address) -> bool:
    return found.is_global and not (found.is_multicast or found.is_reserved)


def _inner(found: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for."""
    if found.ipv4_mapped is not None:
        return found.ipv4_mapped
    for network, shift in _TRANSLATED:
        if found in network:
            return IPv4Address((int(found) >> shift) & 0xFFFFFFFF)
    return None
