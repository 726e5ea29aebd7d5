"""What devices that share a link say of it must not contradict."""

from collections.abc import Hashable, Iterable, Iterator

from edge_config.loading.drivers import NamedDrivers
from edge_config.loading.resolved import ResolvedDevice
from edge_config.mistakes.problems import Place, Problem


def contradictions(
    devices: Iterable[tuple[int, ResolvedDevice]], drivers: NamedDrivers, place: Place
) -> Iterator[Problem]:
    """Settings of a link on which its devices do not agree.

    Args:
        devices: with their positions in the file.
        drivers: those that are named.
        place: of the list of devices.
    """
    links: dict[tuple[str, Hashable], list[tuple[int, ResolvedDevice]]] = {}
    for position, device in devices:
        spec = drivers.find(device.config.driver, place, [])
        if spec is not None and spec.link is not None:
            key = device.config.driver, spec.link.key(device.connection)
            links.setdefault(key, []).append((position, device))
    for (driver, _), members in links.items():
        spec = drivers.find(driver, place, [])
        if spec is None or spec.link is None:
            continue
        connections = [device.connection for _, device in members]
        for member, setting, message in spec.link.conflicts(connections):
            yield place((members[member][0], "connection", setting), message)
