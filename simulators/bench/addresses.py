"""Loopback addresses as separate devices: one port, 127.0.0.1 and those that follow it."""

from ipaddress import IPv4Address

_FIRST = IPv4Address("127.0.0.1")


def address(number: int) -> str:
    """The loopback address of a place, counted from 0."""
    return str(_FIRST + number)


def place(host: str) -> int:
    """The place of a loopback address."""
    return int(IPv4Address(host)) - int(_FIRST)
