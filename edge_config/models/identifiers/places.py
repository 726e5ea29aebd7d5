"""Where servers are that are not asked by HTTP. Pure."""

from ipaddress import ip_address
from typing import Annotated

from edge_config.models.base import split_listen
from edge_config.models.settings import Rule

_PORTS = range(1, 65_536)


def demand_place(text: str) -> str:
    """A ``host:port`` as it is.

    Raises:
        ValueError: it is none.
    """
    host, port = text.rpartition(":")[::2]
    if not host or not port.isdecimal() or int(port) not in _PORTS:
        raise ValueError("must be host:port, as 192.0.2.10:2641; an IPv6 host stands in brackets")
    return text


def _address(text: str) -> str:
    return str(ip_address(text))


Place = Annotated[str, Rule(demand_place)]
"""``host:port`` of a server; see :func:`place`."""
IpAddress = Annotated[str, Rule(_address)]


def place(text: Place) -> tuple[str, int]:
    """Host (without brackets) and port."""
    return split_listen(text)
