"""Look for the CPU of a SIMATIC controller: which rack and slot answers."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from gateway.drivers.api import NotConnectedError
from gateway.drivers.s7.config import Connection
from gateway.drivers.s7.driver import S7Driver
from gateway.drivers.search import Findings, FoundDevice, Place, Step

USUAL = ((0, 1), (0, 2), (0, 0), (0, 3))
"""Rack and slot of S7-1200 and 1500, of S7-300, of PC stations, and usual ones of S7-400."""


class S7Probe:
    """See :class:`gateway.drivers.search.Probe`."""

    async def look(
        self, where: Place, _options: Any, _wanted: Any, findings: Findings, step: Step
    ) -> None:
        """Try the rack and slot of the URL, then the usual ones, up to the first that answers.

        Controllers with one CPU answer under several, so that one is enough.
        """
        tried = list(_tried(where.connection))
        for at, one in enumerate(tried):
            name = f"rack {one.rack}, slot {one.slot}"
            await step(f"asking {name}", at, len(tried))
            driver = S7Driver(one)
            try:
                await driver.connect()
                found = [finding async for finding in driver.diagnose()]
            except NotConnectedError as error:
                findings.remarks.append(f"{name}: {error}")
                continue
            finally:
                await driver.close()
            place = {} if one.remote_tsap is not None else {"rack": one.rack, "slot": one.slot}
            connection = {**where.target.connection, **place}
            said = {finding.tried: finding.found for finding in found}
            findings.devices.append(FoundDevice(f"CPU in {name}", connection, said))
            return

    def holds(self, _device: FoundDevice, _address: Any) -> bool:
        """Nothing is read of it but what every CPU has."""
        return False


def _tried(wanted: Connection) -> Iterator[Connection]:
    yield wanted
    if wanted.remote_tsap is None:
        others = (place for place in USUAL if place != (wanted.rack, wanted.slot))
        yield from (replace(wanted, rack=rack, slot=slot) for rack, slot in others)
