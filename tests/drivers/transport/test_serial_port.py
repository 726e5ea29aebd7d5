"""Serial ports over real pseudo-terminals."""

import fcntl
import os
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import serial.serialposix

from gateway.drivers.api import NotConnectedError
from gateway.drivers.transport import serial_port
from gateway.drivers.transport.serial_port import SerialWay
from gateway.drivers.transport.settings import Parity, Port, Rs485
from tests.drivers.transport.listener import Listener, opened
from tests.support.terminals import Terminal
from tests.support.waiting import until

SPEED, FLAGS = 4, 2  # places in what tcgetattr gives


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    with closing(Terminal(tmp_path / "usb-FTDI_1-port0")) as made:
        yield made


def way(terminal: Terminal, **settings: Any) -> SerialWay:
    port = {"baud": 9_600, "parity": Parity.EVEN, "stop_bits": 1, **settings}
    return SerialWay(Port(str(terminal.link), **port))


async def test_bytes_go_both_ways_and_the_port_is_set_up(terminal: Terminal) -> None:
    listener = await opened(way(terminal, baud=19_200, parity=Parity.EVEN, stop_bits=2))
    listener.transport.write(b"question\x03\x00")  # of a terminal ^C would be a signal
    await until(lambda: os.read(terminal.master, 99) == b"question\x03\x00")
    os.write(terminal.master, b"answer\r\x04")
    await until(lambda: listener.heard == b"answer\r\x04")
    set_up = termios.tcgetattr(terminal.master)
    assert set_up[SPEED] == termios.B19200
    assert set_up[FLAGS] & termios.CSIZE == termios.CS8
    assert set_up[FLAGS] & termios.CSTOPB
    listener.transport.close()
    assert await listener.lost() is None


async def test_parity_is_asked_of_the_port(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pseudo-terminals have none: what is tested is what is asked for."""
    asked: list[list[Any]] = []
    monkeypatch.setattr(serial_port, "_is_pseudo", lambda _path: False)
    monkeypatch.setattr(termios, "tcsetattr", lambda _file, _when, flags: asked.append(flags))
    for parity in Parity:
        (await opened(way(terminal, parity=parity))).transport.abort()
    both = termios.PARENB | termios.PARODD
    flags = [one[FLAGS] & both for one in asked]
    assert flags == [0, termios.PARENB, both]


async def test_what_came_before_it_was_opened_is_forgotten(terminal: Terminal) -> None:
    os.write(terminal.master, b"late answer of the day before")
    listener = await opened(way(terminal))
    os.write(terminal.master, b"now")
    await until(lambda: listener.heard)
    assert listener.heard == b"now"
    listener.transport.close()


async def test_much_is_sent_piece_by_piece(terminal: Terminal) -> None:
    listener = await opened(way(terminal))
    much = bytes(range(256)) * 400
    listener.transport.write(much[:50_000])
    listener.transport.write(much[50_000:])
    came = bytearray()

    def all_came() -> bool:
        came.extend(os.read(terminal.master, 65_536))
        return len(came) == len(much)

    await until(lambda: _quietly(all_came))
    assert came == much
    listener.transport.close()


def _quietly(condition: Any) -> bool:
    try:
        return bool(condition())
    except BlockingIOError:
        return False


async def test_a_port_that_vanishes_is_a_loss_and_returns_under_its_path(
    terminal: Terminal,
) -> None:
    listener = await opened(way(terminal))
    before = terminal.link.readlink()
    terminal.pull_out()
    assert isinstance(await listener.lost(), OSError)
    assert listener.transport.is_closing()
    listener.transport.write(b"into nothing")
    with pytest.raises(NotConnectedError, match=r"port .*usb-FTDI_1-port0 is not there; there"):
        await way(terminal).open(Listener)
    another = os.openpty()  # so that what returns has another name
    terminal.plug_in()
    assert terminal.link.readlink() != before
    again = await opened(way(terminal))
    os.write(terminal.master, b"back")
    await until(lambda: again.heard == b"back")
    again.transport.close()
    for file in another:
        os.close(file)


async def test_two_never_share_a_port(terminal: Terminal) -> None:
    listener = await opened(way(terminal))
    other_name = Terminal(terminal.link.with_name("other"))
    other_name.pull_out()
    other_name.link.symlink_to(terminal.link.readlink())
    with pytest.raises(NotConnectedError, match="in use by this process, under this or another"):
        await way(other_name).open(Listener)
    listener.transport.abort()
    await listener.lost()
    again = await opened(way(other_name))
    again.transport.abort()


HOLD = """
import fcntl, sys, time
port = open(sys.argv[1], "rb+", buffering=0)
fcntl.flock(port, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(600)
"""


@contextmanager
def held(port: Path) -> Iterator[int]:
    """A port that another process has locked; gives its number."""
    command = [sys.executable, "-c", HOLD, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        yield other.pid
        other.kill()


async def test_who_holds_a_port_is_named(terminal: Terminal) -> None:
    with (
        held(terminal.link) as pid,
        pytest.raises(NotConnectedError, match=r"in use by process \d+ \(.*python") as raised,
    ):
        await way(terminal).open(Listener)
    assert f"process {pid} (" in str(raised.value)
    (await opened(way(terminal))).transport.abort()


async def test_a_port_in_use_is_not_set_up_anew(terminal: Terminal) -> None:
    listener = await opened(way(terminal, baud=9_600))
    with pytest.raises(NotConnectedError):
        await way(terminal, baud=2_400).open(Listener)
    assert termios.tcgetattr(terminal.master)[SPEED] == termios.B9600
    listener.transport.abort()


async def test_what_is_no_port_is_said(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    port = Port(str(file), 9_600, Parity.NONE, 1)
    with pytest.raises(NotConnectedError, match=r"cannot use /.*file \(9600 8N1\) as a serial"):
        await SerialWay(port).open(Listener)


async def test_rs485_is_asked_of_the_driver_of_the_port(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pseudo-terminals have no RS-485: what is tested is the ioctl that is asked for."""
    asked: list[tuple[int, bytes]] = []
    true_ioctl = fcntl.ioctl

    def ioctl(file: int, number: int, argument: Any = 0, *rest: Any) -> Any:
        if number in (serial.serialposix.TIOCGRS485, serial.serialposix.TIOCSRS485):
            asked.append((number, bytes(argument)))
            return 0
        return true_ioctl(file, number, argument, *rest)

    monkeypatch.setattr(serial.serialposix.fcntl, "ioctl", ioctl)
    rs485 = Rs485(rts_on_send=True, delay_before_send_ms=2, delay_after_send_ms=3)
    listener = await opened(way(terminal, rs485=rs485))
    number, words = asked[-1]
    assert number == 0x542F  # TIOCSRS485
    # struct serial_rs485 of linux/serial.h: flags, delay_rts_before_send, delay_rts_after_send
    assert struct.unpack_from("=3I", words) == (0b011, 2, 3)
    listener.transport.abort()


async def test_a_port_without_rs485_says_so(terminal: Terminal) -> None:
    with pytest.raises(NotConnectedError, match=r"does not know RS-485 .*: leave rs485 out"):
        await way(terminal, rs485=Rs485()).open(Listener)
    (await opened(way(terminal))).transport.abort()  # and nothing is left locked


async def test_no_file_is_left_open(terminal: Terminal) -> None:
    def files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = files()
    for _ in range(3):
        listener = await opened(way(terminal))
        listener.transport.close()
        await listener.lost()
        with pytest.raises(NotConnectedError):
            await way(terminal, rs485=Rs485()).open(Listener)
    assert files() == before
