"""Controllers by others: ``virtual-plc``, as a small Q CPU; and the stations of a network."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from virtual_plc.memory import Memory
from virtual_plc.server import Server

from tests.drivers.mc.odd_plc import Asked

LIMITS = {"D": (0, 12_287), "M": (0, 8_191), "X": (0, 0x1FFF), "Y": (0, 0x1FFF)}


@contextmanager
def virtual_plc(profile: str = "Q") -> Iterator[tuple[int, Memory]]:
    """A controller in its default state: its port and its memory."""
    memory = Memory(profile, LIMITS)
    with Server(profile=profile, memory=memory, max_points=960) as server:
        yield server.address[1], memory


NETWORK = 2
VALUES = {1: 1_111, 2: 2_222}
"""What each word of a station holds; the others of its network do not exist."""


def station(port: int, number: int, **more: object) -> dict[str, Any]:
    """``connection:`` of a station behind a module."""
    where = {"host": "127.0.0.1", "port": port, "network": NETWORK, "pc": number}
    return {**where, "frame": "4e", **more}


def stations(asked: Asked) -> Iterable[bytes]:
    """A script: an Ethernet module with a network behind it."""
    network, number = asked.route[:2]
    if network != NETWORK or number not in VALUES:
        return ()
    words = len(asked.words) // 2
    return (asked.answer(VALUES[number].to_bytes(2, "little") * words),)
