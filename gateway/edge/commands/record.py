"""What is recorded of a command, in the order in which it becomes true."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from gateway.drivers.api import Value
from gateway.edge.commands.audit import AuditFile
from gateway.edge.commands.lines import Entry, Line, brief
from gateway.wire.commands import Command, CommandAnswer, CommandState


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a command came from.

    Attributes:
        name: for the record and the log.
        has_times: whether it says itself when it was given and expires, by another clock.
    """

    name: str
    has_times: bool


class Record:
    """The record of a running gateway, opened when it is first needed.

    Args:
        path: of the file.
        now_ms: the gateway's time, UTC milliseconds.
    """

    def __init__(self, path: Path, now_ms: Callable[[], int]) -> None:
        self._path = path
        self._now_ms = now_ms
        self._file: AuditFile | None = None
        self._one_at_a_time = asyncio.Lock()

    async def opened(self) -> list[Line]:
        """Open it, if it is not.

        Returns:
            The last lines of runs before this one; none if it was open.

        Raises:
            AuditError: it cannot be used.
        """
        async with self._one_at_a_time:
            if self._file is not None:
                return []
            self._file = await asyncio.to_thread(AuditFile, self._path)
            return self._file.recent

    def close(self) -> None:
        """Let another process have it."""
        if self._file is not None:
            self._file.close()
            self._file = None

    async def begin(
        self, command: Command, origin: Origin, raw: Value, before: Value | None
    ) -> None:
        """A device is about to be written; it must not be before this returns.

        Raises:
            AuditError: it could not be recorded.
        """
        entry = _entry(command, origin)
        await self._append(msgspec.structs.replace(entry, event="write", raw=raw, before=before))

    async def end(self, command: Command, origin: Origin, answer: CommandAnswer) -> None:
        """What became of a command, also of one that never began.

        Raises:
            AuditError: it could not be recorded.
        """
        refused = answer.state is CommandState.REFUSED
        entry = _refused(_entry(command, origin)) if refused else Entry(0, 0, "result", answer.id)
        await self._append(_of_answer(answer, entry))

    async def settle(self, answer: CommandAnswer) -> None:
        """What must be said of a command that a run before this one began and did not end.

        Raises:
            AuditError: it could not be recorded.
        """
        await self._append(_of_answer(answer, Entry(0, 0, "result", answer.id)))

    async def _append(self, entry: Entry) -> None:
        await self.opened()
        async with self._one_at_a_time:
            assert self._file is not None  # noqa: S101 - it is open until close()
            dated = msgspec.structs.replace(entry, at_ms=self._now_ms())
            await asyncio.to_thread(self._file.append, dated)


def _entry(command: Command, origin: Origin) -> Entry:
    return Entry(
        *(0, 0, "refused", command.id, command.who, origin.name),
        *(command.device, command.tag, command.value),
    )


def _refused(entry: Entry) -> Entry:
    """What was not written need not be kept whole: whoever sends much must not fill the disk."""
    return msgspec.structs.replace(entry, value=brief(entry.value))


def _of_answer(answer: CommandAnswer, entry: Entry) -> Entry:
    return msgspec.structs.replace(
        entry,
        state=str(answer.state),
        words=answer.words,
        before=answer.before,
        shows=answer.shows,
    )
