"""What a running gateway can be told: each command with the arguments that it takes."""

import os
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import islice

import msgspec

from gateway import __version__
from gateway.core.status import Reason
from gateway.edge.commands.writer import Writer
from gateway.edge.control.asking import asking
from gateway.edge.control.command import Command, Commands
from gateway.edge.control.faults import MOST_ROWS, TagFaults, faults_of, faulty_tags
from gateway.edge.control.writing import writing
from gateway.edge.device.fleet import Fleet
from gateway.edge.device.runtime import DeviceRuntime
from gateway.edge.live.devices import DeviceRecord
from gateway.edge.live.view import Live


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """The arguments of a command that takes none."""


class OneDevice(msgspec.Struct, forbid_unknown_fields=True):
    """The arguments of a command to a device: its id."""

    device: str


class DeviceStatus(msgspec.Struct, frozen=True):
    """One device.

    Attributes:
        id: device id.
        state: ``up``, ``down``, ``starting`` – or ``stopped`` if it was told to.
        since_ms: UTC milliseconds of the last change of its link; 0: never yet.
        newest_ms: time of its newest value or fault, UTC milliseconds; 0: none has come.
        cause: code of the reason why it is down, else empty.
        detail: the same in words.
        fault: id of what is wrong with the whole device, more exactly than the cause; empty:
            nothing is. A device that is up has ``unreadable`` if most of its tags are BAD.
        tags: how many it has.
        readable: how many of them are not BAD.
        polls: readings since the gateway's start.
        failures: how often it was lost since then.
        endpoint: where it is reached.
        unit_name: what tells it from others there, ``unit 7``; may be empty.
        uncertain: values since then that were UNCERTAIN, by reason code.
        notices: what stands of it: how it differs from what was asked for, what was learnt.
    """

    id: str
    state: str
    since_ms: int
    newest_ms: int
    cause: str
    detail: str
    fault: str
    tags: int
    readable: int
    polls: int
    failures: int
    endpoint: str
    unit_name: str
    uncertain: dict[str, int]
    notices: list[str]


class GatewayStatus(msgspec.Struct, frozen=True):
    """The whole gateway.

    Attributes:
        gateway: gateway id.
        software: version of qulink.
        pid: process id.
        devices: how many there are.
        stopped: how many of them were told to stop.
        up: how many of them are read.
        is_connected: whether the city's broker is connected.
        pending_frames: frames that the city has not acknowledged.
        uncertain: values in the books that were UNCERTAIN, by reason code.
        faulty_tags: tags that are BAD though their device is up.
        faults: the same told by device and cause; at most ``faults.MOST_ROWS``.
        notices: what stands of devices, each with the device's id before it; as many.
    """

    gateway: str
    software: str
    pid: int
    devices: int
    stopped: int
    up: int
    is_connected: bool
    pending_frames: int
    uncertain: dict[str, int]
    faulty_tags: int
    faults: list[TagFaults]
    notices: list[str]


def commands(
    gateway: str, devices: Fleet, live: Live, now_ms: Callable[[], int], writer: Writer
) -> Commands:
    """The commands of a gateway.

    Args:
        gateway: gateway id.
        devices: its devices.
        live: what it knows now.
        now_ms: its clock.
        writer: writes to them.
    """

    async def status(_: Nothing) -> GatewayStatus:
        return _status(gateway, devices, live)

    async def list_devices(_: Nothing) -> list[DeviceStatus]:
        return [_device(runtime) for runtime in devices]

    def change(act: Callable[[str], Awaitable[None]]) -> Command:
        async def run(one: OneDevice) -> DeviceStatus:
            await act(one.device)
            return _device(devices[one.device])

        return Command(OneDevice, run)

    return Commands(
        {
            "status": Command(Nothing, status),
            "devices": Command(Nothing, list_devices),
            "stop": change(devices.stop),
            "start": change(devices.start),
            "restart": change(devices.restart),
            **asking(devices, live, now_ms),
            **writing(writer),
        }
    )


def _status(gateway: str, devices: Fleet, live: Live) -> GatewayStatus:
    return GatewayStatus(
        gateway=gateway,
        software=__version__,
        pid=os.getpid(),
        devices=len(devices),
        stopped=sum(not runtime.is_running for runtime in devices),
        up=sum(runtime.record.link == "up" for runtime in devices),
        is_connected=live.northbound().connected,
        pending_frames=live.backlog().frames,
        uncertain=dict(live.books().uncertain),
        faulty_tags=faulty_tags(live.records()),
        faults=faults_of(live.records()),
        notices=list(islice(_notices(live.records()), MOST_ROWS)),
    )


def _notices(records: Iterable[DeviceRecord]) -> Iterator[str]:
    return (f"{record.id}: {one.words}" for record in records for one in record.notices())


def _device(runtime: DeviceRuntime) -> DeviceStatus:
    record = runtime.record
    return DeviceStatus(
        id=record.id,
        state=record.link if runtime.is_running else "stopped",
        since_ms=record.since_ms,
        newest_ms=record.newest_ms(),
        cause="" if record.cause is Reason.NONE else record.cause.code,
        detail=record.detail,
        fault=record.fault_now(),
        tags=record.tag_count(),
        readable=record.readable_count(),
        polls=record.polls,
        failures=record.failures,
        endpoint=record.endpoint,
        unit_name=record.unit_name,
        uncertain=dict(record.uncertain),
        notices=[one.words for one in record.notices()],
    )
