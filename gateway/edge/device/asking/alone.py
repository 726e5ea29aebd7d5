"""A device opened by a command where no gateway runs, as a gateway would open it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from edge_config.loading.resolved import LoadedGateway, ResolvedDevice
from edge_config.mistakes.problems import no_device
from edge_config.models.gateway import DeviceConfig, ProfileConfig
from gateway.drivers.api import Driver
from gateway.drivers.spec import DriverSpec
from gateway.edge.device.asking.requests import Requests
from gateway.edge.device.connection import Connection
from gateway.edge.device.fleet import NoSuchDeviceError
from gateway.edge.device.knowledge.keeper import KnowledgeKeeper
from gateway.edge.device.links import Links, Way
from gateway.edge.device.model import DeviceModel, ModelCompiler
from gateway.edge.device.timeouts import Timeouts
from gateway.edge.live.view import DeviceRecord, Live

T = TypeVar("T")

_NOWHERE = Path("/nonexistent/learnt")
"""Holds nothing: what is known of a device belongs to its tags."""


@dataclass(frozen=True, slots=True)
class Alone:
    """One connected device; see :class:`gateway.edge.device.asking.reading.Askable`."""

    model: DeviceModel
    _requests: Requests

    async def ask(
        self, action: Callable[[Driver], Awaitable[T]], *, urgent: bool, repeatable: bool = False
    ) -> T:
        """See :meth:`Requests.ask`."""
        return await self._requests.ask(action, urgent=urgent, repeatable=repeatable)


@asynccontextmanager
async def opened_alone(
    loaded: LoadedGateway, specs: Mapping[str, DriverSpec], device: str
) -> AsyncIterator[Alone]:
    """Connect one device of a configuration, for the time of a command.

    Its link is set up as all its devices say, and what a gateway has learnt of it is used, but
    nothing is kept. Whoever has found no running gateway may call it: two must not share a port.

    Raises:
        NoSuchDeviceError: it is not configured.
        NotConnectedError: it cannot be reached.
        RefusedError: it rejects the credentials.
        TimeoutError: it takes too long.
    """
    model = model_of(loaded, specs, device)
    way = _way(loaded, specs, model.resolved)
    async with _opened(model, way, KnowledgeKeeper.of(loaded)) as one:
        yield one


@asynccontextmanager
async def opened_untagged(model: DeviceModel) -> AsyncIterator[Alone]:
    """Connect a device that has no tags yet, as :func:`opened_alone` does; nothing is known of it.

    Args:
        model: of :func:`untagged`.
    """
    way = Links({model.spec.name: model.spec}, Live()).join(model.resolved)
    async with _opened(model, way, KnowledgeKeeper(_NOWHERE, ())) as one:
        yield one


@asynccontextmanager
async def _opened(model: DeviceModel, way: Way, knowledge: KnowledgeKeeper) -> AsyncIterator[Alone]:
    connection = Connection(model, way.make(), way.turn, Timeouts(), knowledge)
    record = DeviceRecord(model.id, model.endpoint, model.spec.name, "", model.config.asset_no)
    requests = Requests(model, record)
    try:
        await connection.connect()
        async with requests.answered(connection):
            yield Alone(model, requests)
    finally:
        with suppress(TimeoutError):  # what does not close in time is left behind
            await connection.close()


def model_of(loaded: LoadedGateway, specs: Mapping[str, DriverSpec], device: str) -> DeviceModel:
    """One device of a configuration.

    Raises:
        NoSuchDeviceError: it is not configured.
    """
    for resolved in loaded.devices:
        if resolved.config.id == device:
            compiler = ModelCompiler(loaded.config.gateway)
            return compiler.compile(resolved, specs[resolved.config.driver])
    raise NoSuchDeviceError(no_device(device, (one.config.id for one in loaded.devices)))


def untagged(spec: DriverSpec, config: DeviceConfig, connection: Any) -> DeviceModel:
    """A device of which only the connection is known.

    Args:
        spec: its driver's.
        config: its id and time-outs.
        connection: an instance of the driver's connection model.
    """
    profile = ProfileConfig(name=config.profile, driver=spec.name, source="controller", groups=())
    resolved = ResolvedDevice(config, connection, profile, ())
    return DeviceModel(resolved, spec, spec.endpoint(connection))


def _way(loaded: LoadedGateway, specs: Mapping[str, DriverSpec], wanted: ResolvedDevice) -> Way:
    """How to reach a device; the other devices of its link say what holds for all of them."""
    links = Links(specs, Live())
    for other in loaded.devices:
        if other.config.driver == wanted.config.driver:
            links.join(other)
    return links.join(wanted)
