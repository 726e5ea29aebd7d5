"""Messages that wait to be handled: a bounded inbox that serves the gateways in turn.

One that floods it takes no more than its turn. When the store is away and the inbox of frames is
full, frames are shed and counted, not queued: the edges keep them until they are acknowledged and
send them again, so the only durable queue stays the one on the edge. Shedding rather than not
reading keeps the connection alive and the signs of life flowing.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from gateway.city.ingest.limits import TURN_FRAMES, Room
from gateway.wire.topics import is_gateway_id

_LEVELS = 6


class Incoming(NamedTuple):
    """One message as it came."""

    topic: str
    payload: bytes
    received_ms: int

    @property
    def sender(self) -> str:
        """The gateway that the topic names; empty if it names none."""
        return _sender(self.topic)


@lru_cache(maxsize=131_072)
def _sender(topic: str) -> str:
    levels = topic.split("/")
    return levels[4] if len(levels) == _LEVELS and is_gateway_id(levels[4]) else ""


@dataclass(slots=True)
class _Queue:
    """What waits of one gateway."""

    messages: deque[Incoming] = field(default_factory=deque)
    bytes: int = 0


class Inbox:
    """Messages that wait, of each gateway in turn; what comes above a limit is shed.

    Args:
        room: for all messages.
        of_sender: for those of one gateway, so that a flood leaves room for the others.
        newest_counts: whether a gateway that has filled its room loses what it said first, not
            what it says last.
    """

    def __init__(self, room: Room, of_sender: Room, *, newest_counts: bool = False) -> None:
        self._room, self._of_sender = room, of_sender
        self._newest_counts = newest_counts
        self._waiting = OrderedDict[str, _Queue]()
        self._some = asyncio.Event()
        self.bytes = self.messages = 0

    def put(self, message: Incoming) -> int:
        """Take a message in; returns how many were shed for want of room, this one or older."""
        size, sender = len(message.payload), message.sender
        mine = self._waiting.get(sender) or _Queue()
        shed = self._make_room(mine, size) if self._newest_counts else 0
        if not (
            self._room.has(self.bytes, self.messages, size)
            and self._of_sender.has(mine.bytes, len(mine.messages), size)
        ):
            return shed + 1
        self._count(mine, size, 1)
        mine.messages.append(message)
        self._waiting[sender] = mine
        self._some.set()
        return shed

    def put_back(self, messages: Iterable[Incoming]) -> None:
        """Let messages that were handed out already come again, before all others."""
        for message in reversed(list(messages)):
            mine = self._waiting.setdefault(message.sender, _Queue())
            self._waiting.move_to_end(message.sender, last=False)
            self._count(mine, len(message.payload), 1)
            mine.messages.appendleft(message)
            self._some.set()

    def _make_room(self, mine: _Queue, size: int) -> int:
        before = len(mine.messages)
        while not self._of_sender.has(mine.bytes, len(mine.messages), size):
            self._count(mine, -len(mine.messages.popleft().payload), -1)
        return before - len(mine.messages)

    def next(self, most: int = TURN_FRAMES) -> list[Incoming]:
        """The oldest messages, at most so many, of the gateway whose turn it is."""
        if not self._waiting:
            return []
        sender, mine = self._waiting.popitem(last=False)
        turn = [mine.messages.popleft() for _ in range(min(most, len(mine.messages)))]
        self._count(mine, -sum(len(message.payload) for message in turn), -len(turn))
        if mine.messages:
            self._waiting[sender] = mine
        return turn

    def keep(self, wanted: Callable[[str], bool]) -> None:
        """Drop what waits of gateways that are not wanted."""
        for sender in [name for name in self._waiting if name and not wanted(name)]:
            mine = self._waiting.pop(sender)
            self._count(mine, -mine.bytes, -len(mine.messages))

    def _count(self, mine: _Queue, size: int, number: int) -> None:
        mine.bytes += size
        self.bytes += size
        self.messages += number

    async def wait(self) -> None:
        """Wait until a message is there."""
        while not self._waiting:
            self._some.clear()
            await self._some.wait()
