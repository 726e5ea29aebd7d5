"""Controllers by others: ``virtual-plc`` serves, with the limits of a small Q CPU."""

from collections.abc import Iterator
from contextlib import contextmanager

from virtual_plc.memory import Memory
from virtual_plc.server import Server

LIMITS = {"D": (0, 12_287), "M": (0, 8_191), "X": (0, 0x1FFF), "Y": (0, 0x1FFF)}


@contextmanager
def virtual_plc(profile: str = "Q") -> Iterator[tuple[int, Memory]]:
    """A controller in its default state: its port and its memory."""
    memory = Memory(profile, LIMITS)
    with Server(profile=profile, memory=memory, max_points=960) as server:
        yield server.address[1], memory
