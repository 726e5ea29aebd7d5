"""What the meters of a line are asked for together, before it is tried. Pure."""

from collections.abc import Iterator, Sequence

from edge_config.loading.resolved import ResolvedDevice
from gateway.drivers.dlt645.codec import ITEM
from gateway.drivers.dlt645.config import endpoint, port_of
from gateway.drivers.toolkit.budget import Load

FRAME = 12
"""Bytes of a frame without its data."""
SOONEST_MS = 20
"""A meter takes 20 to 500 ms until it begins to answer (5.2.2) …"""
ANSWER_MS = 100
"""… most of them about this long."""


def request_ms(size: int, wake_up: int, character_s: float, answer_ms: float = ANSWER_MS) -> float:
    """How long a request and its answer take, milliseconds.

    Args:
        size: bytes of the values.
        wake_up: bytes before the request; the answer has four.
        character_s: of the line; 0: unknown.
        answer_ms: until the meter begins to answer.
    """
    characters = wake_up + FRAME + ITEM + 4 + FRAME + ITEM + size
    return answer_ms + 1_000 * characters * character_s


def share(devices: Sequence[ResolvedDevice]) -> float:
    """For how much of each second they keep their line busy, if all meters answer."""
    return _load(devices).usual


def impossible(devices: Sequence[ResolvedDevice]) -> Iterator[str]:
    """Sentences about readings that cannot be done in time, however quick the meters are."""
    yield from _load(devices).impossible()


def doubts(devices: Sequence[ResolvedDevice]) -> Iterator[str]:
    """Sentences about readings that can hardly be done in time."""
    yield from _readings_cut_off(devices)
    yield from _load(devices).doubtful()


def _character_s(devices: Sequence[ResolvedDevice]) -> float:
    port = port_of([device.connection for device in devices])
    return port.character_s if port else 0.0


def _readings_cut_off(devices: Sequence[ResolvedDevice]) -> Iterator[str]:
    """Groups whose whole reading takes longer than the time-out."""
    character_s = _character_s(devices)
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


def _load(devices: Sequence[ResolvedDevice]) -> Load:
    """How busy the line is; meters on it answer one after another."""
    character_s = _character_s(devices)
    port = port_of([device.connection for device in devices])
    each = [
        (size, device.connection.wake_up, group.interval_ms)
        for device in devices
        for group in device.groups
        for size in _sizes(group.tags)
    ]

    def part(answer_ms: float) -> float:
        return sum(
            request_ms(size, wake_up, character_s, answer_ms) / interval_ms
            for size, wake_up, interval_ms in each
        )

    meters = "1 meter" if len(devices) == 1 else f"{len(devices)} meters"
    line = str(port) if port else endpoint(devices[0].connection)
    intervals_ms = {interval_ms for *_, interval_ms in each}
    return Load(meters, line, part(SOONEST_MS), part(ANSWER_MS), intervals_ms)


def _sizes(tags: Sequence[object]) -> list[int]:
    """Bytes of each request's values."""
    sizes: dict[str, int] = {}
    for tag in tags:
        address = tag.address  # type: ignore[attr-defined]
        sizes[address.item] = max(sizes.get(address.item, 0), address.place * address.size)
    return list(sizes.values())
