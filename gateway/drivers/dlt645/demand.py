"""What the meters of a line are asked for together, before it is tried. Pure."""

from collections.abc import Iterator, Sequence

from edge_config.loading.resolved import ResolvedDevice
from gateway.drivers.dlt645.codec import ITEM
from gateway.drivers.dlt645.config import endpoint, port_of

FRAME = 12
"""Bytes of a frame without its data."""
ANSWER_MS = 100
"""A meter takes 20 to 500 ms until it begins to answer (5.2.2); most of them about this long."""


def request_ms(size: int, wake_up: int, character_s: float) -> float:
    """How long a request and its answer take, milliseconds.

    Args:
        size: bytes of the values.
        wake_up: bytes before the request; the answer has four.
        character_s: of the line; 0: unknown.
    """
    characters = wake_up + FRAME + ITEM + 4 + FRAME + ITEM + size
    return ANSWER_MS + 1_000 * characters * character_s


def share(devices: Sequence[ResolvedDevice]) -> float:
    """For how much of each second they keep their line busy, if all meters answer."""
    port = port_of([device.connection for device in devices])
    character_s = port.character_s if port else 0.0
    return sum(
        request_ms(size, device.connection.wake_up, character_s) / group.interval_ms
        for device in devices
        for group in device.groups
        for size in _sizes(group.tags)
    )


def doubts(devices: Sequence[ResolvedDevice]) -> Iterator[str]:
    """Sentences about readings that can hardly be done in time."""
    port = port_of([device.connection for device in devices])
    character_s = port.character_s if port else 0.0
    for device in devices:
        for group in device.groups:
            sizes = _sizes(group.tags)
            wake_up = device.connection.wake_up
            needed_ms = sum(request_ms(size, wake_up, character_s) for size in sizes)
            if needed_ms > device.config.timeout_ms:
                yield (
                    f"group {group.name!r} of device {device.config.id!r} asks for {len(sizes)} "
                    f"identifiers, which takes about {needed_ms:,.0f} ms, more than its timeout_ms "
                    f"{device.config.timeout_ms}: raise timeout_ms, or read blocks (0201FF00)"
                )
    busy = share(devices)
    if busy > 1:
        line = str(port) if port else endpoint(devices[0].connection)
        yield (
            f"what is asked of {len(devices)} meters keeps {line} busy for about {busy:.1f} s each "
            "second; what cannot be asked in time is skipped: lengthen interval_ms "
            f"{busy:.1f} times, or read blocks (0201FF00)"
        )


def _sizes(tags: Sequence[object]) -> list[int]:
    """Bytes of each request's values."""
    sizes: dict[str, int] = {}
    for tag in tags:
        address = tag.address  # type: ignore[attr-defined]
        sizes[address.item] = max(sizes.get(address.item, 0), address.place * address.size)
    return list(sizes.values())
