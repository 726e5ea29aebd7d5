"""What a city would refuse of a gateway, and what would count one machine twice. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from edge_config.loading.resolved import ResolvedDevice, ResolvedGroup
from edge_config.mistakes.problems import Place, Problem
from edge_config.models.limits import (
    MAX_DEVICES,
    MAX_GATEWAY_TAGS,
    MAX_MACHINES,
    MAX_SCHEMAS,
    MAX_TAGS,
)

Positioned = tuple[int, ResolvedDevice]
"""A device and its position below ``devices:``."""


def refused_by_city(devices: Sequence[Positioned], place: Place) -> list[Problem]:
    """A problem for each limit of the city that the devices exceed.

    Args:
        devices: those without a mistake of their own.
        place: where ``devices:`` stands.
    """
    groups = [group for _, device in devices for group in device.groups]
    wholes = (
        (len(devices), MAX_DEVICES, "devices"),
        (len(groups), MAX_SCHEMAS, "groups in all devices"),
        (sum(len(group.tags) for group in groups), MAX_GATEWAY_TAGS, "tags in all devices"),
    )
    found = [
        place((), f"{count:,} {what}; a city takes {most:,} of one gateway")
        for count, most, what in wholes
        if count > most
    ]
    return found + [
        place((position, "profile"), message)
        for position, device in devices
        for message in _too_large(device)
    ]


def _too_large(device: ResolvedDevice) -> Iterator[str]:
    for group in device.groups:
        if len(group.tags) > MAX_TAGS:
            count = f"{len(group.tags):,} tags; a city takes {MAX_TAGS:,}"
            yield f"group {group.name!r} has {count}; divide it into several groups"
        machines = _machines(group, device.config.asset_no)
        if machines > MAX_MACHINES:
            count = f"{machines:,} machines; a city takes {MAX_MACHINES:,}"
            yield f"the tags of group {group.name!r} belong to {count} a group"


def _machines(group: ResolvedGroup, own: str) -> int:
    return len({own, *(tag.config.asset_no or own for tag in group.tags)})


def counted_twice(devices: Iterable[Positioned], place: Place) -> list[Problem]:
    """A warning for each device that reads what another one reads, for another machine.

    Devices may share a server; they are the same unit if their connection and their tags are.
    """
    first: dict[tuple[str, str, int], ResolvedDevice] = {}
    found = []
    for position, device in devices:
        key = (device.config.driver, repr(device.connection), id(device.groups))
        other = first.setdefault(key, device)
        if other.config.asset_no != device.config.asset_no:
            message = (
                f"device {device.config.id!r} reads the same values as {other.config.id!r}, as "
                f"machine {device.config.asset_no!r} and {other.config.asset_no!r}: one machine "
                "would count as two"
            )
            found.append(place((position, "asset_no"), message))
    return found
