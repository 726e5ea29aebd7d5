"""What an edge starts, and in which order it stops: the composition root of ``qulink run``."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from edge_config.loading.resolved import LoadedGateway
from edge_config.models.base import ConsoleConfig
from gateway import __version__
from gateway.core.batch import Gap
from gateway.drivers.spec import DriverSpec
from gateway.edge.buffer.buffer import Buffer
from gateway.edge.buffer.recorder import Recorder
from gateway.edge.buffer.storage.consumers import consumers_of
from gateway.edge.commands.writer import Writer, writer_of
from gateway.edge.control.commands import commands
from gateway.edge.control.place import socket_path
from gateway.edge.control.server import ControlServer, open_place
from gateway.edge.device.alarms import Alarms
from gateway.edge.device.bookkeeping.bookkeeper import BACK_MS
from gateway.edge.device.bookkeeping.restart import Restart
from gateway.edge.device.bookkeeping.ticks import Past, pasts_of
from gateway.edge.device.clock import Clock
from gateway.edge.device.fleet import Fleet
from gateway.edge.device.knowledge.keeper import KnowledgeKeeper
from gateway.edge.device.sinks import Sinks
from gateway.edge.device.surroundings import Surroundings
from gateway.edge.device.timeouts import Timeouts
from gateway.edge.live.view import Live
from gateway.edge.northbound.acks.unstored import Unstored
from gateway.edge.northbound.session import Northbound
from gateway.edge.preparation import Preparation

if TYPE_CHECKING:
    from gateway.edge.probing.prober import Prober

_log = logging.getLogger(__name__)

GOODBYE_S = 5.0
"""Longest wait for the broker when an edge stops."""


@dataclass(slots=True)
class Edge:
    """The parts of a running edge; its devices can be changed while it runs."""

    buffer: Buffer
    live: Live
    recorder: Recorder
    sinks: Sinks
    devices: Fleet
    northbounds: list[Northbound]
    knowledge: KnowledgeKeeper
    clock: Clock
    writer: Writer


def compose(
    loaded: LoadedGateway,
    specs: Mapping[str, DriverSpec],
    buffer: Buffer,
    clock: Clock | None = None,
) -> Edge:
    """Build all parts; starts nothing.

    Args:
        loaded: the configuration.
        specs: drivers by name; only those that devices name are looked up.
        buffer: the open buffer.
        clock: default: the system's.
    """
    clock, live = clock or Clock(), Live()
    clock.resume(buffer.clock_mark)  # before the first reading: is it to be doubted?
    live.set_clock(clock.live())
    progress = buffer.progress()
    if max((one.tick_ms for one in progress.values()), default=0) > clock.now_ms() + BACK_MS:
        clock.begin_era()
    wake = _Wakes([asyncio.Event() for _ in loaded.config.northbound])
    commit_ms = loaded.config.buffer.commit_interval_ms
    recorder = Recorder(
        buffer=buffer, live=live, now_ms=clock.now_ms, interval_ms=commit_ms, wake=wake
    )
    # Read before the devices are made: each goes on with the gaps that it had open.
    remembered = buffer.gaps()
    recorder.announce(remembered)
    knowledge = KnowledgeKeeper.of(loaded)
    shared = _shared(recorder, live, clock, remembered, knowledge)
    devices = _fleet(loaded, specs, pasts_of(progress, remembered), shared)
    recorder.add_source(lambda: _look(clock, live, buffer, devices))
    recorder.add_source(lambda: _date_loss(recorder, buffer, shared.restart))
    unstored = Unstored()
    # Before they catch up: subscribed values that stand still are sent anew there.
    recorder.add_source(lambda: devices.forget_sent(unstored.due(clock.monotonic_ms() / 1000)))
    recorder.add_source(lambda: devices.catch_up(clock.now_ms()))
    recorder.tell_losses(devices.forget_sent)
    writer = writer_of(loaded, devices.__getitem__, clock)
    north = partial(Northbound, live=live, clock=clock, unstored=unstored, writer=writer)
    northbounds = _northbounds(loaded, buffer, wake, north)
    parts = (buffer, live, recorder, shared.sinks, devices, northbounds, knowledge, clock)
    return Edge(*parts, writer)


def _shared(
    recorder: Recorder,
    live: Live,
    clock: Clock,
    remembered: Sequence[Gap],
    knowledge: KnowledgeKeeper,
) -> Surroundings:
    restart = Restart(recorder.gap, remembered)
    sinks = Sinks(recorder, live)
    alarms, timeouts = Alarms(clock), Timeouts()
    return Surroundings(sinks, recorder, live, restart, clock, alarms, timeouts, knowledge)


def _fleet(
    loaded: LoadedGateway,
    specs: Mapping[str, DriverSpec],
    remembered: dict[str, Past],
    shared: Surroundings,
) -> Fleet:
    preparation = Preparation(loaded, specs, shared)
    devices = Fleet(preparation, preparation.release, remembered, shared)
    devices.compose(loaded.devices)
    return devices


def _look(clock: Clock, live: Live, buffer: Buffer, devices: Fleet) -> None:
    leap = clock.look()
    if leap is not None:
        devices.leap(leap)
    buffer.clock_mark, buffer.is_time_known = clock.mark, not clock.in_doubt
    live.set_clock(clock.live())


def _date_loss(recorder: Recorder, buffer: Buffer, restart: Restart) -> None:
    """Tell what a buffer before this one held and nobody has, once that can be dated."""
    buffer.forerunner.begin(restart.attempted_ms)
    gap = buffer.forerunner.end(is_time_known=buffer.is_time_known)
    if gap is not None:
        recorder.gap(gap)


@dataclass(frozen=True, slots=True)
class _Wakes:
    """One event a northbound: each clears its own."""

    events: list[asyncio.Event]

    def set(self) -> None:
        """Wake all."""
        for event in self.events:
            event.set()


def _northbounds(
    loaded: LoadedGateway, buffer: Buffer, wake: _Wakes, make: Callable[..., Northbound]
) -> list[Northbound]:
    return [
        make(
            config=config,
            gateway=loaded.config.gateway.id,
            software=__version__,
            outlet=buffer.outlets[config.name],
            wake=event,
        )
        for config, event in zip(loaded.config.northbound, wake.events, strict=True)
    ]


async def run(
    loaded: LoadedGateway,
    specs: Mapping[str, DriverSpec],
    stop: asyncio.Event,
    *,
    drain_s: float = 0.0,
    searchers: Callable[[], Mapping[str, DriverSpec]] = dict,
) -> None:
    """Run an edge until ``stop`` is set; then stop reading, commit, and send what is left.

    Args:
        loaded: the configuration.
        specs: drivers by name.
        stop: set to end it.
        drain_s: longest wait for the city's acknowledgement of the rest, seconds.
        searchers: drivers that can look for devices, by name, for the page.

    Raises:
        BufferFileError: the buffer cannot be used.
        ControlError: the control socket cannot be used.
    """
    buffer = Buffer.open(loaded.config.buffer.path, consumers_of(loaded.config))
    try:
        edge = compose(loaded, specs, buffer)
        await _run(edge, loaded, stop, drain_s, _prober(edge, loaded, searchers))
    finally:
        buffer.close()


async def _run(
    edge: Edge,
    loaded: LoadedGateway,
    stop: asyncio.Event,
    drain_s: float,
    prober: "Prober | None",
) -> None:
    control = _control(edge, loaded)  # before anything starts: it may be refused
    await edge.writer.begin()
    async with asyncio.TaskGroup() as tasks:
        heeding = (control, prober)
        listening = [tasks.create_task(one.run()) for one in heeding if one is not None]
        edge.devices.start_all(tasks)
        keeping = tasks.create_task(edge.knowledge.run())
        recorder = tasks.create_task(edge.recorder.run())
        sending = [(north, tasks.create_task(north.run())) for north in edge.northbounds]
        console = _console(edge, loaded, prober)
        page = tasks.create_task(console) if console else None
        _log.info("gateway %s runs %d devices", loaded.config.gateway.id, len(edge.devices))
        await stop.wait()
        await _cancelled(listening)  # nobody may start a device that is halted
        await edge.writer.finish()
        await edge.devices.halt()
        await _cancelled([keeping])
        # After the devices: what they gave last is in the last commit.
        edge.recorder.stop()
        await recorder
        # After the recorder: what it committed last is to be sent too.
        leaving = (_leave(edge.recorder, north, task, drain_s) for north, task in sending)
        await asyncio.gather(*leaving)
        if page:
            await _cancelled([page])
    pending = edge.buffer.city.pending()
    _log.info("stopped; %d values wait for the city", pending.values)


def _control(edge: Edge, loaded: LoadedGateway) -> ControlServer | None:
    config = loaded.config
    place = open_place(socket_path(config.control_socket, config.buffer.path))
    if place is None:
        return None
    return ControlServer(
        place, commands(config.gateway.id, edge.devices, edge.live, edge.clock.now_ms, edge.writer)
    )


async def _cancelled(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait until they are gone."""
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


async def _leave(
    recorder: Recorder, northbound: Northbound, sending: asyncio.Task[None], drain_s: float
) -> None:
    try:
        async with asyncio.timeout(drain_s):
            await northbound.drain(recorder.finish)
    except TimeoutError:
        _log.info("not everything was acknowledged within %g s; the rest is sent later", drain_s)
    northbound.close()
    done, _ = await asyncio.wait([sending], timeout=GOODBYE_S)
    if not done:
        await _cancelled([sending])


def _prober(
    edge: Edge, loaded: LoadedGateway, searchers: Callable[[], Mapping[str, DriverSpec]]
) -> "Prober | None":
    """What looks for devices for the page; None: there is no page that asks for a token."""
    console = loaded.config.console
    if console is None or console.token is None:
        return None
    from gateway.edge.probing.prober import Prober  # noqa: PLC0415 - only if configured

    return Prober(edge.devices, searchers, edge.clock.now_ms)


def _console(
    edge: Edge, loaded: LoadedGateway, prober: "Prober | None"
) -> Coroutine[None, None, None] | None:
    config: ConsoleConfig | None = loaded.config.console
    if config is None:
        return None
    from gateway.edge.live.console import Tools, build  # noqa: PLC0415 - only if configured
    from gateway.web.serve import serve  # noqa: PLC0415 - as above

    mistakes = tuple(map(str, (*loaded.overloads, *loaded.warnings)))
    has_token = config.token is not None
    tools = Tools(edge.devices, edge.writer, has_token, mistakes, prober)
    page = build(edge.live, loaded.config, edge.clock.now_ms, tools)
    return serve(page, config)
