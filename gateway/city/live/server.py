"""Offer the live view of this process to the console, which is a process of its own."""

import asyncio
import logging
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from prometheus_client import CollectorRegistry, generate_latest

from gateway.city.ledger.names import MachineName
from gateway.city.live import messages, sockets
from gateway.city.live.messages import (
    AskChanges,
    AskHealth,
    AskMetrics,
    AskValues,
    Changes,
    Question,
    Values,
)
from gateway.city.live.view import Live

log = logging.getLogger(__name__)

SEND_TIMEOUT_S = 10.0
"""A reader that takes nothing for so long is let go."""
MAX_READERS = 8


class LiveServer:
    """Answers what consoles ask.

    Args:
        data_dir: the city's folder; the socket lies in it.
        live: the view.
        registry: counters of this process.
        health: state of its parts.
    """

    def __init__(
        self,
        data_dir: Path,
        live: Live,
        registry: CollectorRegistry,
        health: Callable[[], Mapping[str, str]],
    ) -> None:
        self._data_dir = data_dir
        self._live = live
        self._registry = registry
        self._health = health
        self._run = secrets.token_hex(8)
        self._readers = 0

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Path | None]:
        """Answer while the block runs; gives the socket, None where there can be none.

        Without it the console shows what database and store hold; nothing else depends on it.
        """
        try:
            listener, path = await asyncio.to_thread(sockets.listen, self._data_dir)
        except OSError as error:
            folder = sockets.folder_of(self._data_dir)
            log.error("the console gets no live values: no socket in %s: %s", folder, error)  # noqa: TRY400 - a fault of the place
            yield None
            return
        try:
            async with self._serving(listener):
                yield path
        finally:
            path.unlink(missing_ok=True)

    @asynccontextmanager
    async def _serving(self, listener: socket.socket) -> AsyncIterator[None]:
        talks = set[asyncio.Task[None]]()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(self._talk(reader, writer))
            talks.add(task)
            task.add_done_callback(talks.discard)
            task.add_done_callback(lambda _: writer.close())  # even if it has not begun

        server = await asyncio.start_unix_server(accept, sock=listener)
        try:
            yield
        finally:
            server.close()
            for task in talks:
                task.cancel()
            await asyncio.gather(*talks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the questions of one connection until it ends."""
        self._readers += 1
        try:
            while self._readers <= MAX_READERS:
                question = await messages.receive(reader, messages.MAX_QUESTION_BYTES)
                answer = await self._answer(messages.decode_question(question))
                async with asyncio.timeout(SEND_TIMEOUT_S):
                    await messages.send(writer, answer)
        except (OSError, EOFError, TimeoutError):
            pass  # it went away, or reads nothing
        except (messages.MessageTooLongError, msgspec.DecodeError) as error:
            log.warning("the console's socket: a question that cannot be read: %s", error)
        finally:
            self._readers -= 1

    async def _answer(self, question: Question) -> bytes:
        match question:
            case AskChanges():
                return messages.encode(self._changes(question))
            case AskValues():
                machine = MachineName(*question.machine)
                values, unheard = self._live.values(machine), self._live.unheard(machine)
                return messages.encode(Values(values, list(unheard)))
            case AskHealth():
                return messages.encode(dict(self._health()))
            case AskMetrics():
                return messages.encode(generate_latest(self._registry).decode())

    def _changes(self, asked: AskChanges) -> Changes:
        since = asked.since if asked.run == self._run else 0
        changed = self._live.changed_since(since)
        some = changed[: messages.GATEWAYS_AN_ANSWER]
        upto = some[-1][1] if some else since
        gateways = [self._live.as_of(gateway_id, since) for gateway_id, _ in some]
        return Changes(self._run, upto, gateways, more=len(some) < len(changed))
