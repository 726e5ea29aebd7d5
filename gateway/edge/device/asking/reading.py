"""Reading once, for a person: tags, or addresses that no tag has, by a plan made for the moment."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from edge_config.loading.resolved import ResolvedTag
from gateway.core.process import Processor
from gateway.drivers.api import Driver
from gateway.edge.device.model import DeviceModel, momentary_group
from gateway.edge.live.devices import GroupLive, tags_of
from gateway.edge.live.records import TagLive

T = TypeVar("T")


class Askable(Protocol):
    """A device that can be asked: one of a running gateway, or one that was opened alone."""

    @property
    def model(self) -> DeviceModel:
        """What the configuration says of it."""

    async def ask(
        self, action: Callable[[Driver], Awaitable[T]], *, urgent: bool, repeatable: bool = False
    ) -> T:
        """See :meth:`gateway.edge.device.asking.requests.Requests.ask`."""


async def read_once(
    device: Askable, tags: Sequence[ResolvedTag], now_ms: Callable[[], int]
) -> list[TagLive]:
    """Read and process some tags once; nothing of it is recorded.

    Args:
        device: whose tags they are.
        tags: of its configuration, or made for addresses.
        now_ms: the clock that dates them.

    Returns:
        One a tag, in their order.

    Raises:
        CannotAskError: the device cannot be asked now.
        DriverError: it did not answer, or is lost.
        TimeoutError: no answer in time.
    """
    group = momentary_group(device.model, tags)

    async def read(driver: Driver) -> list[TagLive]:
        plan = driver.plan(group.points)
        reading = await driver.read(plan)
        outcome = Processor(group.schema, group.rules).process(reading, now_ms())
        faults: Callable[[], Any] = getattr(driver, "tag_faults", dict)
        newest = GroupLive(group.schema, outcome, reading)
        return tags_of(newest, outcome.status.tolist(), faults())

    found = await device.ask(read, urgent=False, repeatable=True)
    place = {tag.config.name: at for at, tag in enumerate(tags)}
    return sorted(found, key=lambda one: place[one.name])
