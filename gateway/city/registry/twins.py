"""Two asset numbers whose devices read one physical unit: one machine that would count as two.

Edges say in their schemas which unit they read, and which addresses of it, as digests. Machines
behind one controller that read other addresses of it are two, and so are those that share a few.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import permutations
from typing import NamedTuple

from gateway.city.ledger.names import MachineName
from gateway.core.days import day_of

Address = tuple[str, bytes]
"""Unit and address, as digests."""


class Reading(NamedTuple):
    """What one schema says that one machine is read from.

    Attributes:
        gateway: that sends it.
        device: of the gateway.
        machine: as its edge writes it.
        received_ms: when the schema came first, UTC milliseconds.
        used_on: last day with values that follow it.
        is_newest: no later schema of its group has replaced it.
        is_configured: its gateway named the device when it was last heard; None: it named none.
        addresses: of the machine's tags; None: the edge does not tell.
    """

    gateway: str
    device: str
    machine: MachineName
    received_ms: int
    used_on: date
    is_newest: bool
    is_configured: bool | None
    addresses: frozenset[Address] | None


class Twin(NamedTuple):
    """A machine all of whose values another one has too, that came before it.

    Attributes:
        machine: the later one, as its edge writes it.
        first: the earlier one.
        gateway: that sends the later one.
        is_certain: one gateway reads both. Of two gateways each may have a network of its own
            in which the same address is another unit.
        came_ms: when the later one came, UTC milliseconds.
    """

    machine: MachineName
    first: MachineName
    gateway: str
    is_certain: bool
    came_ms: int


def twins_of(readings: Iterable[Reading], first: date, last: date) -> Iterator[Twin]:
    """The twins among the machines of each site.

    A machine is one only if nothing else was read of it in the time that is asked about: who was
    moved to a unit of its own, or comes from an edge that tells no unit, is none.

    Args:
        readings: of all schemas of the enterprises that are asked about.
        first: day from which it matters what was read.
        last: day up to which.
    """
    sites: dict[tuple[str, str], dict[MachineName, list[Reading]]] = defaultdict(dict)
    for one in readings:
        key = one.machine.key
        sites[key.uscc, key.site_no].setdefault(key, []).append(one)
    for machines in sites.values():
        came = {name: _came(known) for name, known in machines.items()}
        for later, earlier in _pairs(machines):
            if (came[earlier], earlier) < (came[later], later):
                used = [one for one in machines[later] if _is_used(one, first, last)]
                yield from _twin(used, machines[earlier], came[later])


def _pairs(
    machines: Mapping[MachineName, Iterable[Reading]],
) -> Iterator[tuple[MachineName, MachineName]]:
    """Machines that are read from one unit, in both orders; a site has thousands that are not."""
    units: dict[str, set[MachineName]] = defaultdict(set)
    for name, readings in machines.items():
        for unit in {unit for one in readings for unit, _ in one.addresses or ()}:
            units[unit].add(name)
    pairs = {pair for names in units.values() for pair in permutations(names, 2)}
    return iter(sorted(pairs))


def _came(readings: Iterable[Reading]) -> int:
    return min(one.received_ms for one in readings)


def _is_used(one: Reading, first: date, last: date) -> bool:
    return one.used_on >= first and day_of(one.received_ms) <= last


def _twin(used: Sequence[Reading], earlier: Iterable[Reading], came_ms: int) -> Iterator[Twin]:
    # A device that was given another number, and other groups with it, leaves schemas behind that
    # nothing replaces: it is never the twin of itself.
    devices = {(one.gateway, one.device) for one in used}
    beside = [
        one
        for one in earlier
        if (one.gateway, one.device) not in devices and _is_beside(one, came_ms)
    ]
    if not used or not _within(used, beside):
        return
    gateways = {one.gateway for one in used}
    own = [one for one in beside if one.gateway in gateways]
    is_certain = len(gateways) == 1 and _within(used, own)
    yield Twin(used[-1].machine, beside[0].machine, used[-1].gateway, is_certain, came_ms)


def _is_beside(one: Reading, came_ms: int) -> bool:
    """Whether a machine is read beside one that came later, which did not just take its place."""
    if not one.is_newest or one.is_configured is None:
        return one.is_newest and one.used_on > day_of(came_ms)
    return one.is_configured


def _within(used: Iterable[Reading], others: Iterable[Reading]) -> bool:
    """Whether all that was read of one machine is read of another one."""
    known: set[Address] = set().union(*(one.addresses or () for one in others))
    return all(one.addresses and one.addresses <= known for one in used)
