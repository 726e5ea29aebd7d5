"""What keeps a device away is told apart – name, port, unit, answers, profile – and what to do."""

import asyncio
import errno
import json
import socket
import ssl
import struct
from pathlib import Path

import pytest
import yaml

from gateway.core.status import Reason
from gateway.drivers.api import DriverError, NoResponseError, NotConnectedError, RefusedError
from gateway.edge.control.client import ask
from gateway.edge.control.protocol import ControlError
from gateway.edge.device.standing.faults import (
    Fault,
    NoConnectionInTimeError,
    fault_of,
    loss_of,
)
from gateway.edge.live.devices import UNREADABLE
from gateway.web.i18n import LANGUAGES, Language, fault_words
from tests.edge.one_device import configured, running
from tests.support.command import qulink
from tests.support.peers import free_port
from tests.support.waiting import until


def behind(cause: BaseException, error: type[DriverError] = NotConnectedError) -> DriverError:
    """A driver's error that the system's stands behind, with one between them."""
    middle = NotConnectedError("in the middle")
    middle.__cause__ = cause
    outer = error("cannot connect")
    outer.__cause__ = middle
    return outer


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (behind(socket.gaierror(-2, "Name or service not known")), Fault.NAME_UNKNOWN),
        (behind(OSError(errno.EHOSTUNREACH, "No route to host")), Fault.UNREACHABLE),
        (behind(OSError(errno.ECONNREFUSED, "refused")), Fault.PORT_REFUSED),
        (
            behind(OSError("Multiple exceptions: [Errno 111] x ('::1'), [Errno 111] y")),
            Fault.PORT_REFUSED,
        ),
        (behind(OSError(errno.ENOENT, "no such file")), Fault.SERIAL_MISSING),
        (behind(OSError(errno.EACCES, "denied")), Fault.SERIAL_DENIED),
        (behind(BlockingIOError(errno.EAGAIN, "locked")), Fault.SERIAL_IN_USE),
        (behind(ssl.SSLCertVerificationError("self-signed"), RefusedError), Fault.TLS),
        (RefusedError("wrong password"), Fault.REFUSED),
        (NotConnectedError("the device closed the connection"), Fault.CONNECTION_ENDED),
        (NotConnectedError("wrong answer", Reason.PROTOCOL), Fault.WRONG_ANSWER),
        (NoResponseError("no answer"), Fault.SILENT),
        (NoResponseError("exception 11", Reason.GATEWAY_TARGET), Fault.BEHIND_GATEWAY),
    ],
)
def test_what_stands_behind_an_error_is_found(error: DriverError, fault: Fault) -> None:
    assert fault_of(error) is fault


def test_time_outs_and_bugs_have_their_own() -> None:
    assert loss_of(NoConnectionInTimeError("no connection")).fault is Fault.NO_CONNECTION
    assert loss_of(TimeoutError()).fault is Fault.SLOW
    assert loss_of(ZeroDivisionError("x"))[1:] == ("ZeroDivisionError: x", Fault.DRIVER_BUG)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_fault_has_words_and_what_to_do(language: Language) -> None:
    for fault in [*list(Fault)[1:], UNREADABLE]:
        title, advice = fault_words(language, fault, "plc:502", "7")
        assert title
        assert advice
        assert "{" not in advice
    assert "7" in fault_words(language, "silent", "plc:502", "7")[1]
    assert fault_words(language, "", "plc:502", "7") == ("", "")
    assert fault_words(language, "of a newer gateway", "plc:502", "7") == ("", "")


class Slave(asyncio.Protocol):
    """Unit 1 answers each read by exception 2, unit 2 with nonsense, all others never."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        unit, function = data[6], data[7]
        answer = {1: bytes((function | 0x80, 2)), 2: bytes((function ^ 1, 2, 0, 0))}.get(unit)
        if answer:
            head = data[:4] + struct.pack(">HB", len(answer) + 1, unit)
            self.transport.write(head + answer)  # type: ignore[attr-defined]


def with_devices(config: Path, connections: dict[str, dict[str, object]]) -> None:
    document = yaml.safe_load(config.read_text())
    (like,) = document["devices"]
    document["devices"] = [
        {**like, "id": name, "asset_no": name, "connection": connection}
        for name, connection in connections.items()
    ]
    config.write_text(yaml.safe_dump(document))


@pytest.mark.timeout(300)
async def test_each_kind_of_trouble_reads_differently(tmp_path: Path) -> None:
    server = await asyncio.get_running_loop().create_server(Slave, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    here = {"host": "127.0.0.1", "port": port, "framing": "tcp"}
    tags = [{"name": f"t{at}", "address": f"holding:{at}:uint16"} for at in range(7)]
    config = configured(tmp_path, "modbus", here, tags, retry_min_ms=100, retry_max_ms=1_000)
    expected = {
        "no-name": ("name_unknown", "down"),
        "no-port": ("port_refused", "down"),
        "wrong-profile": ("unreadable", "up"),
        "wrong-answer": ("wrong_answer", "down"),
        "wrong-unit": ("silent", "down"),
    }
    with_devices(
        config,
        {
            "no-name": {**here, "host": "no-such-plc.invalid"},
            "no-port": {"host": "127.0.0.1", "port": free_port()},
            "wrong-profile": {**here, "unit": 1},
            "wrong-answer": {**here, "unit": 2},
            "wrong-unit": {**here, "unit": 9, "request_timeout_ms": 200},
        },
    )

    def found() -> dict[str, tuple[str, str]]:
        try:
            devices = ask(tmp_path / "b.sock", "devices")
        except ControlError:
            return {}
        return {one["id"]: (one["fault"], one["state"]) for one in devices}

    with running(config):
        async with server:
            await until(lambda: found() == expected)
            listed = json.loads(
                (await asyncio.to_thread(qulink, "device", "list", config, "--json")).stdout
            )
            said = (await asyncio.to_thread(qulink, "device", "list", config)).stdout
    wrong = next(one for one in listed if one["id"] == "wrong-profile")
    assert (wrong["readable"], wrong["tags"], wrong["unit_name"]) == (0, 7, "unit 1")
    for words in ("host name unknown", "nobody listens at the port", "see unit 9", "0 of 7"):
        assert words in said
    assert "compare profile, addresses, notation and unit" in said
