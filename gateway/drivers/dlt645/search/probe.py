"""Ask a line for the number of its meter, and the meter for what known ones have."""

import re
from collections.abc import Sequence
from typing import Any

from gateway.core.status import GOOD
from gateway.drivers.api import NoResponseError, Point
from gateway.drivers.dlt645.address import Address, kind
from gateway.drivers.dlt645.driver import DltDriver
from gateway.drivers.dlt645.items import titles
from gateway.drivers.dlt645.link import DltLink
from gateway.drivers.search import Findings, FoundDevice, Place, Step

_SILENCES = 2
"""After so many in a row a meter is asked no more."""


class DltProbe:
    """See :class:`gateway.drivers.search.Probe`."""

    async def look(
        self,
        where: Place,
        _options: Any,
        wanted: Sequence[Address],
        findings: Findings,
        step: Step,
    ) -> None:
        """Ask the meter of the URL, or whoever is alone on the line, who it is and what it has."""
        await step("asking for the number of the meter", 0, 1)
        driver = DltLink([where.connection]).driver(where.connection)
        try:
            await driver.connect()
            meter = await driver.number()
            if meter:
                connection = {**where.target.connection, "meter": meter}
                device = FoundDevice(f"meter {meter}", connection, map=set())
                findings.devices.append(device)
                await _ask_for(driver, wanted, device, step)
                return
        finally:
            await driver.close()
        findings.remarks.append(
            "no meter answered: see wiring, baud rate and parity; where several share the line all "
            "answer at once, so name one by ?meter= of its plate"
        )

    def holds(self, device: FoundDevice, address: Address) -> bool:
        """Whether the meter gave it."""
        return address in device.map


async def _ask_for(
    driver: DltDriver, wanted: Sequence[Address], device: FoundDevice, step: Step
) -> None:
    """Read one identifier after the other, a block with all that is wanted of it at once."""
    by_item: dict[str, list[Address]] = {}
    for address in dict.fromkeys(wanted):
        by_item.setdefault(address.item, []).append(address)
    silences = 0
    for at, (item, addresses) in enumerate(by_item.items()):
        await step(f"asking {device.name} for {item}", at, len(by_item))
        try:
            given = await _given(driver, addresses)
        except NoResponseError as error:
            silences += 1
            if silences == _SILENCES:
                device.remarks.append(str(error))
                return
            continue
        silences = 0
        for address in given:
            _note(device, address)


async def _given(driver: DltDriver, addresses: Sequence[Address]) -> list[Address]:
    points = [Point(str(address), kind(address), address) for address in addresses]
    reading = await driver.read(driver.plan(points))
    pairs = zip(addresses, reading.status, strict=True)
    return [address for address, status in pairs if status == GOOD]


def _note(device: FoundDevice, address: Address) -> None:
    """Keep what the meter gave, under a name that a tag may have."""
    name = re.sub(r"[^0-9a-z]+", "_", f"di_{address}".lower()).strip("_")
    device.map.add(address)
    device.readable.append(str(address))
    device.points[name] = address
    if title := titles(address.item)[0]:
        device.labels[name] = title
