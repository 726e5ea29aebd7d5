"""Commands that ask a device of a running gateway, or what the gateway knows of it."""

from collections.abc import Callable

import msgspec

from gateway.edge.control.command import Command
from gateway.edge.control.frames import Frames
from gateway.edge.control.testing import FindingNow, tested
from gateway.edge.control.values import AskedAddress, ValueNow, tags_to_read, values_now
from gateway.edge.device.asking.reading import read_once
from gateway.edge.device.fleet import Fleet
from gateway.edge.live.view import Live


class Points(msgspec.Struct, forbid_unknown_fields=True):
    """What to read of a device.

    Attributes:
        device: its id.
        tags: names of its tags.
        addresses: further ones that no tag has. Of neither any: all its tags.
    """

    device: str
    tags: list[str] = []
    addresses: list[AskedAddress] = []


class Tags(msgspec.Struct, forbid_unknown_fields=True):
    """Which tags of a device; none: all."""

    device: str
    tags: list[str] = []


class Tested(msgspec.Struct, forbid_unknown_fields=True):
    """Which device to test.

    Attributes:
        device: its id.
    """

    device: str


class Trace(msgspec.Struct, forbid_unknown_fields=True):
    """Which frames of a device.

    Attributes:
        device: its id.
        since: number of the first one that is wanted.
        before_fault: instead those from before it was lost last.
    """

    device: str
    since: int = 0
    before_fault: bool = False


def asking(devices: Fleet, live: Live, now_ms: Callable[[], int]) -> dict[str, Command]:
    """The commands by name.

    Args:
        devices: those of the gateway.
        live: what it knows of them.
        now_ms: its clock.
    """

    async def read(asked: Points) -> list[ValueNow]:
        device = devices[asked.device]
        tags = tags_to_read(device.model, asked.tags, asked.addresses)
        return values_now(await read_once(device, tags, now_ms), tags)

    async def values(asked: Tags) -> list[ValueNow]:
        tags = tags_to_read(devices[asked.device].model, asked.tags, ())
        known = live.device(asked.device)
        return values_now(known.tags if known else (), tags)

    async def frames(asked: Trace) -> Frames:
        device = devices[asked.device]
        kept = device.record.frames
        chosen = enumerate(kept.before_fault) if asked.before_fault else kept.since(asked.since)
        explain = device.model.spec.explain
        return Frames.of(device.record.is_recording, kept.count, chosen, explain, now_ms())

    async def test(asked: Tested) -> list[FindingNow]:
        return [one async for one in tested(devices[asked.device], now_ms)]

    return {
        "read": Command(Points, read),
        "values": Command(Tags, values),
        "frames": Command(Trace, frames),
        "test": Command(Tested, test),
    }
