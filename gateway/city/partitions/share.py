"""How partitions are shared among workers. Pure."""

from collections.abc import Collection
from typing import NamedTuple

from gateway.wire.topics import PARTITIONS


class Change(NamedTuple):
    """What a worker does about its share.

    Attributes:
        release: partitions of its own that others are to have.
        acquire: free partitions that it may try to acquire.
    """

    release: frozenset[int]
    acquire: frozenset[int]


def fair_share(workers: int) -> int:
    """How many partitions a worker has at most; so many workers together can hold all."""
    return -(-PARTITIONS // max(workers, 1))


def change(mine: Collection[int], held: Collection[int], workers: int) -> Change:
    """What to release above the fair share, or to acquire up to it.

    Args:
        mine: partitions that this worker holds.
        held: those that any worker holds.
        workers: how many workers there are, this one included.
    """
    room = fair_share(workers) - len(mine)
    free = sorted(set(range(PARTITIONS)) - set(held) - set(mine))
    surplus = sorted(mine)[len(mine) + room :] if room < 0 else []
    return Change(frozenset(surplus), frozenset(free[: max(room, 0)]))
