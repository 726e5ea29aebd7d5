"""What an edge starts, and in which order it stops: the composition root of ``qulink run``."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from edge_config.loading.resolved import LoadedGateway
from edge_config.models.base import ConsoleConfig
from gateway import __version__
from gateway.core.batch import Gap
from gateway.core.process import NEVER
from gateway.drivers.api import Driver, DriverSpec
from gateway.edge.buffer.buffer import Buffer
from gateway.edge.buffer.commit import Progress
from gateway.edge.buffer.recorder import Recorder
from gateway.edge.device.account import Account
from gateway.edge.device.gaps import GapTracker
from gateway.edge.device.links import Links
from gateway.edge.device.model import Device, DeviceBuilder
from gateway.edge.device.poller import Poller
from gateway.edge.device.restart import Restart
from gateway.edge.live.view import DeviceRecord, Live
from gateway.edge.northbound.session import Northbound

_log = logging.getLogger(__name__)

GOODBYE_S = 5.0
"""Longest wait for the broker when an edge stops."""

_MIB = 1024 * 1024
_HOUR_MS = 3_600_000


def now_ms() -> int:
    """The system's clock, UTC milliseconds."""
    return time.time_ns() // 1_000_000


def monotonic_ms() -> float:
    """A clock that never steps, milliseconds."""
    return time.monotonic() * 1000


@dataclass(slots=True)
class Edge:
    """The parts of a running edge."""

    buffer: Buffer
    live: Live
    recorder: Recorder
    pollers: list[Poller]
    northbound: Northbound | None


def compose(loaded: LoadedGateway, specs: Mapping[str, DriverSpec], buffer: Buffer) -> Edge:
    """Build all parts; starts nothing.

    Args:
        loaded: the configuration.
        specs: drivers by name; only those that devices name are looked up.
        buffer: the open buffer.
    """
    live = Live()
    wake = asyncio.Event()
    recorder = Recorder(
        buffer=buffer,
        live=live,
        now_ms=now_ms,
        interval_ms=loaded.config.buffer.commit_interval_ms,
        wake=wake,
    )
    remembered = buffer.gaps()
    recorder.announce(remembered)
    restart = Restart(recorder.gap, remembered)
    recorder.add_source(restart.settle)
    progress = buffer.progress()
    builder = DeviceBuilder(loaded.config.gateway, progress)
    links = Links(loaded.devices, specs)
    accounts: list[Account] = []
    pollers: list[Poller] = []
    for resolved in loaded.devices:
        spec = specs[resolved.config.driver]
        make, turn = links.way(resolved)
        device = builder.build(resolved, spec)
        account = _account(device, remembered, recorder, restart)
        accounts.append(account)
        pollers.append(_poller(device, spec.name, make, turn, account, recorder, live))
    _begin(accounts, restart)
    _end_removed(loaded, remembered, recorder)
    _forget_removed(loaded, progress, recorder)
    northbound = _northbound(loaded, buffer, wake, live)
    return Edge(buffer, live, recorder, pollers, northbound)


def _account(
    device: Device, remembered: Iterable[Gap], recorder: Recorder, restart: Restart
) -> Account:
    names = {group.name: group.points for group in device.groups}
    own = [gap for gap in remembered if gap.device == device.id and gap.to_ms is None]
    tracker = GapTracker(device.id, names, own)
    account = Account(device, tracker, recorder, monotonic_ms, restart)
    recorder.add_source(account.settle)
    return account


def _poller(
    device: Device,
    driver: str,
    make: Callable[[], Driver],
    turn: AbstractAsyncContextManager[object],
    account: Account,
    recorder: Recorder,
    live: Live,
) -> Poller:
    record = DeviceRecord(
        device.id, device.endpoint, driver, device.profile, device.config.asset_no
    )
    for group in device.groups:
        record.add_group(group.processor.schema)
    live.add_device(record)

    return Poller(
        device=device,
        make=make,
        turn=turn,
        account=account,
        recorder=recorder,
        live=live,
        record=record,
        now_ms=now_ms,
    )


def _begin(accounts: Iterable[Account], restart: Restart) -> None:
    """Date what was due while the gateway did not run."""
    now = now_ms()
    missed = {account.device: account.start(now) for account in accounts}
    restart.begin(missed, [first for first in missed.values() if first is not None], now)


def _end_removed(loaded: LoadedGateway, remembered: Iterable[Gap], recorder: Recorder) -> None:
    """End open gaps of devices that are not configured any more."""
    known = {"", *(device.config.id for device in loaded.devices)}
    now = now_ms()
    for gap in remembered:
        if gap.device not in known and gap.to_ms is None:
            ended = Gap(gap.device, gap.group, gap.tags, gap.cause, gap.from_ms, now)
            recorder.gap(ended)


def _forget_removed(
    loaded: LoadedGateway,
    progress: Mapping[tuple[str, str], Progress],
    recorder: Recorder,
) -> None:
    """Let the books of groups that are not configured any more begin anew should they return."""
    known = {(device.config.id, group.name) for device in loaded.devices for group in device.groups}
    for (device, group), state in progress.items():
        if (device, group) not in known and state.tick_ms != NEVER:
            recorder.progress(device, group, Progress(NEVER, state.newest_ms))


def _northbound(
    loaded: LoadedGateway, buffer: Buffer, wake: asyncio.Event, live: Live
) -> Northbound | None:
    if not loaded.config.northbound:
        return None
    return Northbound(
        config=loaded.config.northbound[0],
        gateway=loaded.config.gateway.id,
        software=__version__,
        buffer=buffer,
        wake=wake,
        live=live,
        now_ms=now_ms,
    )


async def run(
    loaded: LoadedGateway,
    specs: Mapping[str, DriverSpec],
    stop: asyncio.Event,
    *,
    drain_s: float = 0.0,
) -> None:
    """Run an edge until ``stop`` is set; then stop reading, commit, and send what is left.

    Args:
        loaded: the configuration.
        specs: drivers by name.
        stop: set to end it.
        drain_s: longest wait for the city's acknowledgement of the rest, seconds.

    Raises:
        BufferFileError: the buffer cannot be used.
    """
    config = loaded.config.buffer
    buffer = Buffer.open(
        config.path,
        quota_bytes=int(config.quota_mib * _MIB),
        max_age_ms=int(config.max_age_hours * _HOUR_MS),
    )
    try:
        edge = compose(loaded, specs, buffer)
        await _run(edge, loaded, stop, drain_s)
    finally:
        buffer.close()


async def _run(edge: Edge, loaded: LoadedGateway, stop: asyncio.Event, drain_s: float) -> None:
    async with asyncio.TaskGroup() as tasks:
        pollers = [tasks.create_task(poller.run()) for poller in edge.pollers]
        recorder = tasks.create_task(edge.recorder.run())
        northbound = edge.northbound
        sending = tasks.create_task(northbound.run()) if northbound else None
        console = _console(edge, loaded)
        page = tasks.create_task(console) if console else None
        _log.info("gateway %s runs %d devices", loaded.config.gateway.id, len(pollers))
        await stop.wait()
        await _cancelled(pollers)
        edge.recorder.stop()
        await recorder
        if northbound and sending:
            await _leave(edge.recorder, northbound, sending, drain_s)
        if page:
            await _cancelled([page])
    pending = edge.buffer.pending()
    _log.info("stopped; %d values wait for the city", pending.values)


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


def _console(edge: Edge, loaded: LoadedGateway) -> Coroutine[None, None, None] | None:
    config: ConsoleConfig | None = loaded.config.console
    if config is None:
        return None
    from gateway.edge.live.console import build  # noqa: PLC0415 - only if configured
    from gateway.web.serve import serve  # noqa: PLC0415

    page = build(edge.live, loaded.config, now_ms)
    return serve(page, config)
