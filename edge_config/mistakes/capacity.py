"""What a city would refuse of a gateway, and what would count one machine twice. Pure."""

import zlib
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

from edge_config.loading.resolved import ResolvedDevice, ResolvedGroup
from edge_config.mistakes.problems import Place, Problem
from edge_config.models.ledger_number import key_of
from edge_config.models.limits import (
    MAX_DEVICES,
    MAX_GATEWAY_TAGS,
    MAX_MACHINES,
    MAX_SCHEMAS,
    MAX_STATE_BYTES,
    MAX_TAGS,
    SCHEMA_PART,
    STATE_BYTES,
    STATE_DEVICE_BYTES,
)

_TAG_BYTES = 12
"""What describes a tag beside its texts; a quarter is left of it when it is compressed."""
_READ_BYTES = 4
"""The digest of a tag's address, of which compression leaves all."""

Positioned = tuple[int, ResolvedDevice]
"""A device and its position below ``devices:``."""


def refused_by_city(
    devices: Sequence[Positioned], place: Place, message_bytes: int
) -> list[Problem]:
    """A problem for each limit of the city, or of messages to it, that the devices exceed.

    Args:
        devices: those without a mistake of their own.
        place: where ``devices:`` stands.
        message_bytes: the largest message that is sent.
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
    found += [place((), message) for message in _state_too_large(devices, message_bytes)]
    return found + [
        place((position, "profile"), message)
        for position, device in devices
        for message in (*_too_large(device), *_indescribable(device, message_bytes))
    ]


def _state_too_large(devices: Sequence[Positioned], message_bytes: int) -> Iterator[str]:
    """Each sign of life names all devices; one that is refused would make the gateway silent."""
    size = STATE_BYTES + sum(STATE_DEVICE_BYTES + len(device.config.id) for _, device in devices)
    most = min(MAX_STATE_BYTES, message_bytes)
    if size > most:
        whose = "a city takes" if most == MAX_STATE_BYTES else "'max_frame_bytes' allows"
        yield (
            f"the state of {len(devices):,} devices takes up to {size:,} bytes, and {whose} "
            f"{most:,} of a message; shorten their ids, or divide the gateway"
        )


def _indescribable(device: ResolvedDevice, message_bytes: int) -> Iterator[str]:
    """Groups whose names and labels, which go to the city once, are too much for a message."""
    most = int(SCHEMA_PART * message_bytes)
    for group in device.groups:
        size = _description_bytes(group, most)
        if size > most:
            yield (
                f"the names, units and labels of group {group.name!r} take some {size:,} bytes, "
                f"and a message has {most:,} for them; divide it into several groups, or raise "
                "'max_frame_bytes'"
            )


def _description_bytes(group: ResolvedGroup, most: int) -> int:
    """About how many bytes the description of a group takes; compressed, if it is large."""
    texts = [
        f"{tag.config.name}{tag.config.unit}{tag.config.role}{tag.config.label_zh}"
        f"{tag.config.label_en}{tag.config.asset_no or ''}"
        for tag in group.tags
    ]
    plain = "".join(texts).encode()
    digests = _READ_BYTES * len(texts)
    size = len(plain) + _TAG_BYTES * len(texts) + digests
    if size <= most:
        return size
    return len(zlib.compress(plain, 1)) + _TAG_BYTES * len(texts) // 4 + digests


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


def counted_twice(
    devices: Iterable[Positioned],
    unit: Callable[[ResolvedDevice], Hashable],
    place: Place,
) -> list[Problem]:
    """A warning for each device that reads what another one reads, for another machine.

    Devices may share a server, and a controller several machines, so their tags count as well.

    Args:
        devices: those without a mistake of their own.
        unit: what makes the physical unit, however its connection is written.
        place: where ``devices:`` stands.
    """
    first: dict[tuple[str, Hashable, int], ResolvedDevice] = {}
    found = []
    for position, device in devices:
        key = (device.config.driver, unit(device), id(device.groups))
        other = first.setdefault(key, device)
        if key_of(other.config.asset_no) != key_of(device.config.asset_no):
            message = (
                f"device {device.config.id!r} reads the same values as {other.config.id!r}, as "
                f"machine {device.config.asset_no!r} and {other.config.asset_no!r}: one machine "
                "would count as two"
            )
            found.append(place((position, "asset_no"), message))
    return found
