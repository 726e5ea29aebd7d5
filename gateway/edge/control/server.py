"""The gateway's side of the control socket: it may never harm the gateway."""

import asyncio
import contextlib
import errno
import logging
import socket
from pathlib import Path
from typing import Any

from gateway.edge.control.command import Commands
from gateway.edge.control.place import Place, listen
from gateway.edge.control.protocol import (
    MAX_REQUEST_BYTES,
    VERSION,
    Answer,
    ControlError,
    decode_request,
    encode,
)

_log = logging.getLogger(__name__)

MOST_CONNECTIONS = 8
"""Further ones are refused: people and scripts of one box need no more."""

IDLE_S = 10.0
"""Longest wait for a whole request, and for a client to read its answer."""

_ACCEPT_AGAIN_S = 1.0
"""Pause when the system gives no connection, as it has no descriptor left."""

_DISK_FAULTS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}


def open_place(path: Path) -> Place | None:
    """Listen at a path; None, with a line in the log, if only the disk forbids it.

    A gateway reads and keeps what it can with a full disk, so it starts without commands too.

    Raises:
        ControlError: the configuration must be changed, or another gateway runs.
    """
    if not hasattr(socket, "AF_UNIX"):
        _log.warning("this system has no Unix sockets: the gateway takes no commands")
        return None
    try:
        return listen(path)
    except OSError as error:
        if error.errno in _DISK_FAULTS:
            _log.error("cannot make the control socket %s: %s; no commands", path, error.strerror)
            return None
        raise ControlError(
            f"cannot make the control socket {path}: {error.strerror}; see to its folder, or set "
            "control_socket"
        ) from error


class ControlServer:
    """Answers requests until it is cancelled.

    Args:
        place: where it listens; closed at the end.
        commands: what it can be told.
    """

    def __init__(self, place: Place, commands: Commands) -> None:
        self._place = place
        self._commands = commands
        self._connections: set[asyncio.Task[None]] = set()
        self._running: set[asyncio.Task[Answer]] = set()

    async def run(self) -> None:
        """Serve; when cancelled let commands that have begun end, so that none is half done."""
        try:
            while True:
                await self._accept()
        finally:
            self._place.close()
            for task in self._connections:
                task.cancel()
            await _all({*self._connections, *self._running})

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            connection, _ = await loop.sock_accept(self._place.listener)
        except OSError as error:
            _log.warning("control socket: %s", error.strerror)
            await asyncio.sleep(_ACCEPT_AGAIN_S)
            return
        if len(self._connections) >= MOST_CONNECTIONS:
            _refuse(connection)
            return
        task = asyncio.create_task(self._serve(connection))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, connection: socket.socket) -> None:
        reader, writer = await asyncio.open_unix_connection(
            sock=connection, limit=MAX_REQUEST_BYTES
        )
        writer.transport.set_write_buffer_limits(0)  # drain() then waits for everything
        try:
            await self._converse(reader, writer)
        except OSError:
            pass  # whoever says nothing in time, or has gone, is told nothing
        finally:
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await _request(reader):
                await self._answer(line, writer)
        except ControlError as error:
            await _send(writer, _error(error))

    async def _answer(self, line: bytes, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry_out(line))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        await _send(writer, await asyncio.shield(task))

    async def _carry_out(self, line: bytes) -> Answer:
        try:
            request = decode_request(line)
            return Answer(VERSION, await self._commands.run(request.command, request.arguments))
        except ControlError as error:
            return _error(error)
        except Exception as error:  # noqa: BLE001 - a command's bug must not end the gateway
            _log.exception("a command over the control socket failed")
            return _error(error)


async def _request(reader: asyncio.StreamReader) -> bytes:
    """One line; empty at the end.

    Raises:
        ControlError: it is too long, or only a part of one.
        TimeoutError: it does not come.
    """
    try:
        async with asyncio.timeout(IDLE_S):
            return await reader.readuntil(b"\n")
    except asyncio.LimitOverrunError as error:
        raise ControlError(f"a request has at most {MAX_REQUEST_BYTES} bytes") from error
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise ControlError("a request ends with a line feed") from error
        return b""


async def _send(writer: asyncio.StreamWriter, answer: Answer) -> None:
    """Hand an answer to the system.

    Raises:
        TimeoutError: the client does not read it; nothing of it is kept.
    """
    writer.write(encode(answer))
    try:
        async with asyncio.timeout(IDLE_S):
            await writer.drain()
    except TimeoutError:
        writer.transport.abort()
        raise


def _refuse(connection: socket.socket) -> None:
    with connection:
        error = f"{MOST_CONNECTIONS} connections are open already; try again in {IDLE_S:g} s"
        with contextlib.suppress(OSError):  # it may have gone
            connection.send(encode(Answer(VERSION, error=error)))


def _error(error: Exception) -> Answer:
    return Answer(VERSION, error=str(error) or type(error).__name__)


async def _all(tasks: set[Any]) -> None:
    if tasks:
        await asyncio.wait(tasks)
