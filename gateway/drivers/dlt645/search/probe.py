"""Ask a line for the number of its meter."""

from typing import Any

from gateway.drivers.dlt645.link import DltLink
from gateway.drivers.search import Findings, FoundDevice, Place, Step


class DltProbe:
    """See :class:`gateway.drivers.search.Probe`."""

    async def look(
        self, where: Place, _options: Any, _wanted: Any, findings: Findings, step: Step
    ) -> None:
        """Ask the meter of the URL, or whoever is alone on the line, for its number."""
        await step("asking for the number of the meter", 0, 1)
        driver = DltLink([where.connection]).driver(where.connection)
        try:
            await driver.connect()
            meter = await driver.number()
        finally:
            await driver.close()
        if meter:
            connection = {**where.target.connection, "meter": meter}
            findings.devices.append(FoundDevice(f"meter {meter}", connection))
            return
        findings.remarks.append(
            "no meter answered: see wiring, baud rate and parity; where several share the line all "
            "answer at once, so name one by ?meter= of its plate"
        )

    def holds(self, _device: FoundDevice, _address: Any) -> bool:
        """Nothing is read of it."""
        return False
