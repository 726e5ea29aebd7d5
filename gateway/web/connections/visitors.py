"""How many connections there may be, and which goes when there are more.

A connection that keeps us waiting costs nothing to make: half a handshake, half a request. So
there is always room for the next one, and what goes is the one that has kept us waiting longest.
"""

import logging
from collections import defaultdict
from ipaddress import ip_address
from typing import Protocol

from gateway.throttle import site_of

log = logging.getLogger(__name__)

MOST = 400
"""Connections at a time; a page takes one, and one for its updates."""
MOST_OF_ONE = 100
"""Of one address; from loopback it may be a proxy that comes for all."""


class Visitor(Protocol):
    """A connection.

    Attributes:
        address: of its other end.
        is_waiting: whether it has not sent a whole request that we could be working at.
    """

    @property
    def address(self) -> str:
        """Of its other end."""

    @property
    def is_waiting(self) -> bool:
        """Whether it has not sent a whole request that we could be working at."""

    def close(self) -> None:
        """End it at once."""


class Visitors:
    """All connections of one listener.

    Args:
        name: what listens, for the log.
        most: connections at a time.
        most_of_one: connections of one address at a time.
    """

    def __init__(self, name: str, most: int = MOST, most_of_one: int = MOST_OF_ONE) -> None:
        self._name = name
        self._most, self._most_of_one = most, most_of_one
        self._of_site: dict[str, dict[Visitor, None]] = defaultdict(dict)  # oldest first
        self._noted: set[str] = set()
        self._count = 0

    def enter(self, visitor: Visitor) -> None:
        """Let one in; where there are too many, one that keeps us waiting is closed for it.

        If none does, all are being served, and it is the new one that has to go.
        """
        site = site_of(visitor.address)
        self._of_site[site][visitor] = None
        self._count += 1
        limit = self._most if _is_loopback(visitor.address) else self._most_of_one
        if len(self._of_site[site]) > limit:
            self._close_one(site)
        elif self._count > self._most:
            self._close_one(max(self._of_site, key=lambda one: len(self._of_site[one])))

    def leave(self, visitor: Visitor) -> None:
        """One has gone."""
        site = site_of(visitor.address)
        mine = self._of_site[site]
        if visitor in mine:
            del mine[visitor]
            self._count -= 1
        if not mine:
            del self._of_site[site]
            self._noted.discard(site)

    def _close_one(self, site: str) -> None:
        mine = self._of_site[site]
        victim = next((one for one in mine if one.is_waiting), next(reversed(mine)))
        if site not in self._noted:
            self._noted.add(site)
            log.warning(
                "%s: %d connections from %s; those that keep us waiting are closed",
                self._name, len(mine), site,
            )  # fmt: skip
        self.leave(victim)
        victim.close()


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
