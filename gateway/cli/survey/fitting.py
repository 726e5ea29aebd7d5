"""Which known machine a device is: its profile's tags are read by the driver, as always."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.cli.survey.ranges import values_of

if TYPE_CHECKING:
    from edge_config.loading.resolved import ResolvedTag
    from gateway.drivers.spec import DriverSpec
    from gateway.edge.detective.fitting import Fit

_LEAST_HELD = 0.6
"""Share of a profile's addresses that a device must have before they are read."""
_TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class Known:
    """A machine profile that comes with the product.

    Attributes:
        name: of the profile.
        title: of the machine, in both languages.
        tags: all of its groups.
    """

    name: str
    title: str
    tags: "Sequence[ResolvedTag]"


def known_machines(driver: str) -> Iterator[Known]:
    """Those of a driver whose addresses hold no parameters."""
    from edge_config.loading.drivers import NamedDrivers
    from edge_config.loading.library import Library, built_in_names
    from edge_config.mistakes.problems import Loc, Problem
    from gateway.drivers.registry import installed

    def place(_loc: Loc, message: str) -> Problem:
        return Problem("", message)

    library = Library(NamedDrivers(installed()), [])
    for name in built_in_names():
        profile = library.find(name, place)
        if profile is None or profile.config is None or profile.driver != driver:
            continue
        tags = [tag for group in profile.groups({}) for tag in group.tags]
        if tags and not profile.wanted():
            yield Known(name, f"{profile.config.title_zh} {profile.config.title_en}".strip(), tags)


async def fits(
    spec: "DriverSpec",
    connection: Any,
    machines: Sequence[Known],
    holds: Callable[[Any], bool],
    said: Sequence[str],
    step: "Callable[[], Awaitable[None]]",
) -> "list[Fit]":
    """Profiles that a device may be, the likeliest first.

    Args:
        spec: its driver.
        connection: to the device.
        machines: that come into question.
        holds: whether the device gave an address.
        said: what it says of itself.
        step: is awaited before each reading.

    Raises:
        DriverError: the device is lost, or silent.
        TimeoutError: it takes too long.
    """
    from gateway.drivers.api import Point
    from gateway.edge.detective.fitting import fit

    found = []
    driver = spec.make(connection)
    try:
        await driver.connect()
        for machine in machines:
            held = sum(holds(tag.address) for tag in machine.tags)
            if held < _LEAST_HELD * len(machine.tags):
                continue
            points = [
                Point(tag.config.name, spec.kind(tag.address), tag.address) for tag in machine.tags
            ]
            await step()
            async with asyncio.timeout(_TIMEOUT_S):
                reading = await driver.read(driver.plan(points))
            found.append(fit(machine.name, machine.title, machine.tags, values_of(reading), said))
    finally:
        await driver.close()
    return sorted((one for one in found if one.given), key=lambda one: one.score, reverse=True)
