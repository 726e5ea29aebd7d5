"""One process that receives values, as the console asks it over its socket."""

import asyncio
import contextlib
from pathlib import Path
from typing import TypeVar

import msgspec

from gateway.city.live import messages, sockets
from gateway.city.live.messages import (
    AskChanges,
    AskHealth,
    AskMetrics,
    AskValues,
    Changes,
    Health,
    Question,
    Values,
)

T = TypeVar("T")

PATIENCE_S = 2.0
"""How long a page waits for an answer before it shows what database and store hold."""

_changes = msgspec.msgpack.Decoder(Changes)
_values = msgspec.msgpack.Decoder(Values)
_health = msgspec.msgpack.Decoder(Health)
_metrics = msgspec.msgpack.Decoder(str)


class SourceAwayError(Exception):
    """The process does not answer."""


class Source:
    """One connection, opened when it is needed; one question at a time.

    Args:
        path: the socket.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._turn = asyncio.Lock()

    async def changes(self, run: str, since: int) -> Changes:
        """Gateways that changed since a number of a run.

        Raises:
            SourceAwayError: no answer in time; so do all methods.
        """
        return await self._ask(AskChanges(run, since), _changes)

    async def values(self, machine: tuple[str, str, str]) -> Values:
        """The newest values of a machine."""
        return await self._ask(AskValues(machine), _values)

    async def health(self) -> Health:
        """State of the parts of the process."""
        return await self._ask(AskHealth(), _health)

    async def metrics(self) -> str:
        """Its counters in Prometheus' text format."""
        return await self._ask(AskMetrics(), _metrics)

    async def _ask(self, question: Question, decoder: "msgspec.msgpack.Decoder[T]") -> T:
        try:
            async with asyncio.timeout(PATIENCE_S), self._turn:
                answer = await self._exchange(messages.encode(question))
            return decoder.decode(answer)
        except (OSError, EOFError, TimeoutError, messages.MessageTooLongError) as error:
            raise SourceAwayError(
                f"{self.path.name}: {str(error) or 'no answer in time'}"
            ) from error
        except msgspec.DecodeError as error:  # it is of another version
            raise SourceAwayError(f"{self.path.name}: {error}") from error

    async def _exchange(self, question: bytes) -> bytes:
        """Ask; a connection on which an answer is still under way is not used again."""
        streams, self._streams = self._streams or await self._connect(), None
        try:
            await messages.send(streams[1], question)
            answer = await messages.receive(streams[0], messages.MAX_ANSWER_BYTES)
        except BaseException:  # cancellation, too
            streams[1].close()
            raise
        self._streams = streams
        return answer

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        with sockets.short_address(self.path) as address:
            return await asyncio.open_unix_connection(address)

    async def close(self) -> None:
        """Close the connection."""
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].close()
            with contextlib.suppress(OSError):
                await streams[1].wait_closed()
