"""Tests of connections, as commands are answered with them."""

from collections.abc import AsyncIterator, Callable

import msgspec

from gateway.drivers.extras import Finding
from gateway.edge.device.asking.testing import connecting, examined, not_connected, way_to
from gateway.edge.device.runtime import DeviceRuntime


class FindingNow(msgspec.Struct, frozen=True):
    """One step; see :class:`gateway.drivers.extras.Finding`.

    Attributes:
        step: what was looked at.
        is_ok: None: only told.
        tried: what was asked.
        found: what came.
        fault: id of what is wrong.
    """

    step: str
    is_ok: bool | None
    tried: str
    found: str
    fault: str

    @classmethod
    def of(cls, finding: Finding) -> "FindingNow":
        """A finding, to travel."""
        return cls(finding.step, finding.is_ok, finding.tried, finding.found, str(finding.fault))


async def tested(device: DeviceRuntime, now_ms: Callable[[], int]) -> AsyncIterator[FindingNow]:
    """Test the connection of a device that a gateway runs, over its session if there is one."""
    is_sound = True
    async for finding in way_to(device.model, is_connected=device.is_connected):
        is_sound &= finding.is_ok is not False
        yield FindingNow.of(finding)
    if not is_sound:
        return
    if not device.is_connected:
        yield FindingNow.of(not_connected(device.model, device.record))
        return
    yield FindingNow.of(connecting(device.model, None))
    async for finding in examined(device, now_ms):
        yield FindingNow.of(finding)
