"""What devices that share a link say of it must not contradict, nor ask too much of it."""

from collections.abc import Hashable, Iterable, Iterator, Sequence

from edge_config.loading.drivers import NamedDrivers
from edge_config.loading.resolved import ResolvedDevice
from edge_config.loading.specs import LinkModel
from edge_config.mistakes.problems import Place, Problem

Members = list[tuple[int, ResolvedDevice]]
"""The devices of one link, with their positions in the file."""


def shared_links(
    devices: Iterable[tuple[int, ResolvedDevice]], drivers: NamedDrivers, place: Place
) -> list[tuple[LinkModel, Members]]:
    """The links, each with its devices.

    Args:
        devices: with their positions in the file.
        drivers: those that are named.
        place: of the list of devices.
    """
    links: dict[tuple[str, Hashable], tuple[LinkModel, Members]] = {}
    for position, device in devices:
        spec = drivers.find(device.config.driver, place, [])
        if spec is not None and spec.link is not None:
            key = device.config.driver, spec.link.key(device.connection)
            links.setdefault(key, (spec.link, []))[1].append((position, device))
    return list(links.values())


def contradictions(links: Sequence[tuple[LinkModel, Members]], place: Place) -> Iterator[Problem]:
    """Settings of a link on which its devices do not agree, and serial ports of two drivers."""
    for members, key, user in _of_two_drivers(links):
        if key.startswith("/"):
            why = "only one driver can open a serial port"
            yield place((members[0][0], "connection"), f"{key} is the port of {user} too: {why}")
    for link, members in links:
        connections = [device.connection for _, device in members]
        for member, setting, message in link.conflicts(connections):
            yield place((members[member][0], "connection", setting), message)


def _of_two_drivers(
    links: Sequence[tuple[LinkModel, Members]],
) -> Iterator[tuple[Members, str, str]]:
    """Links whose far end is that of an earlier one: devices, the far end, and who has it."""
    first: dict[str, ResolvedDevice] = {}
    for link, members in links:
        device = members[0][1]
        key = str(link.key(device.connection))
        earlier = first.setdefault(key, device)
        if earlier is not device:
            yield members, key, f"{earlier.config.id!r} (driver {earlier.config.driver})"


def doubts(links: Sequence[tuple[LinkModel, Members]], place: Place) -> Iterator[Problem]:
    """A warning for each link that disturbs another one, or is asked for more than it may give."""
    for members, key, user in _of_two_drivers(links):
        why = "requests of two drivers on one line disturb each other"
        yield place((members[0][0], "connection"), f"{key} is where {user} is, too: {why}")
    for link, members in links:
        for message in link.doubts([device for _, device in members]):
            yield place((members[0][0], "connection"), message)


def overloads(links: Iterable[tuple[LinkModel, Members]], place: Place) -> Iterator[Problem]:
    """A problem for each link whose devices ask more of it than it can give."""
    for link, members in links:
        for message in link.impossible([device for _, device in members]):
            yield place((members[0][0], "connection"), message)
