"""Ask a MELSEC controller which frames it takes and which CPU it has."""

from dataclasses import replace
from typing import Any

from gateway.drivers.api import NoResponseError, NotConnectedError
from gateway.drivers.mc.config import Connection, Frame, Transport
from gateway.drivers.mc.link import McLink
from gateway.drivers.search import Findings, FoundDevice, Place, Step


class McProbe:
    """See :class:`gateway.drivers.search.Probe`."""

    async def look(
        self, where: Place, _options: Any, _wanted: Any, findings: Findings, step: Step
    ) -> None:
        """Ask for the model of the CPU, in the frames of the URL and then in the others."""
        wanted: Connection = where.connection
        frames = sorted(Frame, key=lambda frame: frame is not wanted.frame)
        if wanted.transport is Transport.UDP:
            frames = [Frame.E4]
        for at, frame in enumerate(frames):
            await step(f"asking in {frame} frames", at, len(frames))
            asked = replace(wanted, frame=frame)
            driver = McLink([asked]).driver(asked)
            try:
                await driver.connect()
                model = await driver.model()
            except (NotConnectedError, NoResponseError) as error:
                findings.remarks.append(f"in {frame} frames: {error}")
                continue
            finally:
                await driver.close()
            connection = {**where.target.connection, "frame": frame.value}
            name = f"MELSEC controller in {frame} frames"
            findings.devices.append(FoundDevice(name, connection, {"model": model}))
            return

    def holds(self, _device: FoundDevice, _address: Any) -> bool:
        """Nothing is read of it."""
        return False
