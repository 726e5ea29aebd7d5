"""Ways to servers that stay open for the next question; not for long, and not many."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from gateway.identifier.irp.data import TCP
from gateway.identifier.native.peers import Peer, PeerError, TcpPeer, UdpPeer
from gateway.identifier.native.walking.places import Place

MOST = 64
"""Servers that are connected to at once."""
IDLE_S = 60.0
"""After which a connection that nobody used is closed."""


@dataclass(slots=True)
class _Open:
    peer: Peer
    users: int = 0
    used_s: float = 0.0


class Pool:
    """Peers by place; the one that was not used longest makes room.

    Args:
        timeout_s: for one question.
        most: how many are kept.
        idle_s: for how long one is.
    """

    def __init__(self, timeout_s: float, most: int = MOST, idle_s: float = IDLE_S) -> None:
        self._timeout_s, self._most, self._idle_s = timeout_s, most, idle_s
        self._open: OrderedDict[Place, _Open] = OrderedDict()
        self._tidying: asyncio.TimerHandle | None = None

    @contextmanager
    def lent(self, place: Place) -> Iterator[Peer]:
        """The peer of a place, for one question.

        Raises:
            PeerError: so many servers are being asked already.
        """
        one = self._open.get(place) or self._made(place)
        self._open.move_to_end(place)
        one.users += 1
        try:
            yield one.peer
        finally:
            one.users -= 1
            one.used_s = asyncio.get_running_loop().time()
            self._tidy_later()

    def close(self) -> None:
        """Close all of them."""
        if self._tidying is not None:
            self._tidying.cancel()
        for one in self._open.values():
            one.peer.close()
        self._open.clear()

    def _made(self, place: Place) -> _Open:
        if len(self._open) >= self._most:
            self._make_room()
        kind = TcpPeer if place.protocol == TCP else UdpPeer
        made = _Open(kind(place.address, place.port, self._timeout_s))
        self._open[place] = made
        return made

    def _make_room(self) -> None:
        for place, one in self._open.items():
            if not one.users:
                one.peer.close()
                del self._open[place]
                return
        raise PeerError(f"{self._most} servers are being asked already")

    def _tidy_later(self) -> None:
        if self._tidying is None:
            loop = asyncio.get_running_loop()
            self._tidying = loop.call_later(self._idle_s, self._tidy)

    def _tidy(self) -> None:
        self._tidying = None
        long_ago_s = asyncio.get_running_loop().time() - self._idle_s
        for place, one in tuple(self._open.items()):
            if not one.users and one.used_s <= long_ago_s:
                one.peer.close()
                del self._open[place]
        if self._open:
            self._tidy_later()
