"""A serial port: pyserial configures it, the event loop reads and writes it. No thread.

It is locked (``flock``, as other programs for serial ports do, and ``TIOCEXCL`` for those that do
not) before anything of it is changed, so two programs never share a line by mistake.
"""

import asyncio
import contextlib
import errno
import fcntl
import os
import termios
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import serial
from serial.rs485 import RS485Settings

from gateway.drivers.api import NotConnectedError
from gateway.drivers.transport.present import holder, present_ports
from gateway.drivers.transport.settings import Port, Rs485
from gateway.drivers.transport.way import MakeProtocol

T = TypeVar("T")

_MOST = 4_096  # bytes read at once
_GONE = frozenset({errno.ENOENT, errno.ENXIO, errno.ENODEV})
_TAKEN = frozenset({errno.EAGAIN, errno.EBUSY})


@dataclass(frozen=True, slots=True)
class SerialWay:
    """See :class:`gateway.drivers.transport.way.Way`. One may be open at a time."""

    is_datagrams: ClassVar[bool] = False

    port: Port

    @property
    def endpoint(self) -> str:
        """The path of the port."""
        return self.port.path

    async def open(self, make: MakeProtocol) -> asyncio.Transport:
        """Lock the port, set it up, and forget what has come before."""
        try:
            opened = opened_port(self.port)
        except (OSError, ValueError, termios.error) as error:
            raise NotConnectedError(_why(self.port, error)) from error
        return SerialTransport(opened, make())


def opened_port(port: Port) -> serial.Serial:
    """A port of pyserial's, open, locked and configured.

    Raises:
        OSError, ValueError, termios.error: as the system and pyserial do.
    """
    made = serial.Serial(
        baudrate=port.baud,
        bytesize=port.data_bits,
        parity=serial.PARITY_NONE if _is_pseudo(port.path) else port.parity[0].upper(),
        stopbits=port.stop_bits,
        timeout=0,
        exclusive=True,
    )
    if port.rs485 is not None:
        made.rs485_mode = _asked_for(port.rs485)
    made.port = port.path
    made.open()
    with contextlib.suppress(OSError):
        fcntl.ioctl(made.fileno(), termios.TIOCEXCL)
    return made


def _is_pseudo(path: str) -> bool:
    """Whether a port is a pseudo-terminal; those have no parity, and some refuse to be asked."""
    return str(Path(path).resolve()).startswith(("/dev/pts/", "/dev/ttys"))


def _asked_for(rs485: Rs485) -> RS485Settings:
    return RS485Settings(
        rts_level_for_tx=rs485.rts_on_send,
        rts_level_for_rx=rs485.rts_after_send,
        loopback=rs485.receive_while_sending,
        delay_before_tx=rs485.delay_before_send_ms / 1_000,
        delay_before_rx=rs485.delay_after_send_ms / 1_000,
    )


def _why(port: Port, error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) else None
    if number in _GONE:
        return f"serial port {port.path} is not there; {present_ports()}"
    if number in _TAKEN:
        return f"serial port {port.path} is in use by {holder(port.path)}"
    if number == errno.EACCES:
        return (
            f"no right to use serial port {port.path}: add the user that runs qulink to the "
            "port's group (usermod -aG dialout …), and log in anew"
        )
    if port.rs485 is not None and isinstance(error, ValueError):
        return f"serial port {port.path} does not know RS-485 ({error}): leave rs485 out"
    return f"cannot use {port} as a serial port: {error}"


class SerialTransport(asyncio.Transport):
    """An open port. What is not sent yet when it is closed is not sent."""

    def __init__(self, port: serial.Serial, protocol: asyncio.Protocol) -> None:
        super().__init__({"serial": port})
        self._loop = asyncio.get_running_loop()
        self._port = port
        self._file: int = port.fileno()
        self._protocol = protocol
        self._unsent = bytearray()
        self._is_open = True
        protocol.connection_made(self)
        self._loop.add_reader(self._file, self._read)

    def _read(self) -> None:
        data = self._tried(lambda: os.read(self._file, _MOST))
        if data:
            self._protocol.data_received(data)
        elif data is not None:  # ready, and nothing there: the far end has hung up
            self._end(OSError(errno.EIO, "the port has vanished"))

    def write(self, data: Any) -> None:
        """Send, now or when the port takes it; after it was closed nothing happens."""
        if not self._is_open:
            return
        self._unsent += data
        self._flush()

    def _flush(self) -> None:
        sent = self._tried(lambda: os.write(self._file, self._unsent))
        del self._unsent[: sent or 0]
        if not self._is_open:
            return
        if self._unsent:
            self._loop.add_writer(self._file, self._flush)
        else:
            self._loop.remove_writer(self._file)

    def _tried(self, call: Callable[[], T]) -> T | None:
        """What a call to the port gives; None: it is not ready, or has vanished."""
        try:
            return call()
        except (BlockingIOError, InterruptedError):
            return None
        except OSError as error:
            self._end(error)
            return None

    def is_closing(self) -> bool:
        """Whether it is closed."""
        return not self._is_open

    def close(self) -> None:
        """Close it at once."""
        self._end(None)

    def abort(self) -> None:
        """The same."""
        self._end(None)

    def _end(self, error: OSError | None) -> None:
        if not self._is_open:
            return
        self._is_open = False
        self._loop.remove_reader(self._file)
        self._loop.remove_writer(self._file)
        # Unflushed output would hold the closing up until it is sent.
        with contextlib.suppress(OSError, termios.error):
            termios.tcflush(self._file, termios.TCIOFLUSH)
            fcntl.ioctl(self._file, termios.TIOCNXCL)
        with contextlib.suppress(OSError):
            self._port.close()
        self._loop.call_soon(self._protocol.connection_lost, error)
