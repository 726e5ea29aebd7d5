"""The one way to write to a device: gate, record, executor. Everybody who writes calls this."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec

from edge_config.loading.resolved import LoadedGateway
from edge_config.models.gateway import CommandsConfig
from gateway.drivers.api import DriverError, Value
from gateway.edge.commands import executor, gate
from gateway.edge.commands.audit import KEPT_MS, AuditError, audit_path
from gateway.edge.commands.executor import Course
from gateway.edge.commands.gate import Admitted, CommandRefusedError
from gateway.edge.commands.known import KnownCommands, what_of
from gateway.edge.commands.record import Origin, Record
from gateway.edge.device.asking.reading import Askable
from gateway.edge.device.asking.requests import CannotAskError
from gateway.edge.device.clock import Clock
from gateway.edge.device.fleet import NoSuchDeviceError
from gateway.wire.commands import Command, CommandAnswer, CommandState

_log = logging.getLogger(__name__)

MOST_AT_ONCE = 32
"""So many commands may wait or run; more are refused."""

_STOPPING = "the gateway is stopping, and nothing was written; try again later"

COMMAND_LINE = Origin("command line", has_times=False)

Told = Callable[[CommandAnswer], None]


class Preview(msgspec.Struct, frozen=True):
    """What a write would do.

    Attributes:
        before: what the tag shows now; None: it is BAD.
        wanted: what it would show.
        raw: what the device would be given.
    """

    before: Value | None
    wanted: Value
    raw: Value


class Writer:
    """Writes to the devices of a gateway.

    Args:
        config: whether it may, and how long a command lives.
        find: a device by its id; raises :class:`NoSuchDeviceError`.
        record: what is done is recorded there first.
        clock: the gateway's.
    """

    def __init__(
        self,
        config: CommandsConfig,
        find: Callable[[str], Askable],
        record: Record,
        clock: Clock,
    ) -> None:
        self._config = config
        self._find = find
        self._record = record
        self._clock = clock
        self._known = KnownCommands(KEPT_MS / 1000)
        self._one_at_a_time: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._tasks: set[asyncio.Task[CommandAnswer]] = set()
        self._admitted = 0  # and not yet done
        self._is_closing = False

    # -- begin and end --------------------------------------------------------------------

    async def begin(self) -> None:
        """Open the record if writes are allowed; where it cannot be used, commands are refused."""
        if self._config.enabled:
            try:
                await self._ready()
            except AuditError as error:
                _log.error("%s", error)

    async def finish(self) -> None:
        """Take no more commands, let those that have begun end, and close the record."""
        self._is_closing = True
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._record.close()

    @property
    def is_enabled(self) -> bool:
        """Whether the gateway may write at all."""
        return self._config.enabled

    # -- what others call -----------------------------------------------------------------

    def knows(self, command: Command) -> bool:
        """Whether one of its id came before: to answer it again costs next to nothing."""
        return self._known.find(command) is not None

    async def preview(self, device: str, tag: str, value: Value) -> Preview:
        """What a write would do; nothing is written.

        Raises:
            CommandRefusedError: the gate would refuse it, or the device cannot be read now.
            NoSuchDeviceError: there is no such device.
        """
        found = self._find(device)
        admitted = gate.admit(found.model, tag, value, self._config)
        return Preview(await _look(found, admitted), admitted.wanted, admitted.raw)

    async def write(self, command: Command, origin: Origin, told: Told) -> CommandAnswer:
        """Carry a command out, once; what became of the first one of its id is the answer.

        What has begun goes on although the caller is cancelled.

        Args:
            command: what to write.
            origin: where it comes from.
            told: is told when the command is accepted.
        """
        if not self._is_closing:
            try:
                await self._ready()
            except AuditError as error:
                _log.error("%s", error)
                words = f"{error}; whether it came before, and was written then, cannot be told"
                return self._answer(command, CommandState.REFUSED, words)
        known = self._known.find(command)
        if known is None and self._is_closing:
            return self._answer(command, CommandState.REFUSED, _STOPPING)
        if known is None:
            task = asyncio.create_task(self._carry_out(command, origin, told))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            self._known.add(command, task)
            return await asyncio.shield(task)
        if known.what != what_of(command):
            words = f"another command has the id {command.id}; give each its own"
            return self._answer(command, CommandState.REFUSED, words)
        return await asyncio.shield(known.answer)

    async def _ready(self) -> None:
        """Have the record open, and what a run before this one left open said in it."""
        for lost in self._known.resume(await self._record.opened()):
            await self._record.settle(lost)

    # -- one command ----------------------------------------------------------------------

    async def _carry_out(self, command: Command, origin: Origin, told: Told) -> CommandAnswer:
        begun_s = asyncio.get_running_loop().time()

        def demand_wanted() -> None:
            if self._is_closing:
                raise CommandRefusedError(_STOPPING)
            self._demand_current(command, origin)
            gate.demand_young(self._config, asyncio.get_running_loop().time() - begun_s)

        try:
            found, admitted = self._admit(command, origin)
            told(self._answer(command, CommandState.ACCEPTED))
            with self._counted():
                course = await self._execute(command, origin, found, admitted, demand_wanted)
            state, words = course.judged()
        except (CommandRefusedError, NoSuchDeviceError, AuditError) as error:
            state, words, course = CommandState.REFUSED, str(error), Course()
        return await self._ended(command, origin, self._answer(command, state, words, course))

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._admitted += 1
        try:
            yield
        finally:
            self._admitted -= 1

    async def _execute(
        self,
        command: Command,
        origin: Origin,
        device: Askable,
        admitted: Admitted,
        demand_wanted: Callable[[], None],
    ) -> Course:
        async with self._one_at_a_time[command.device]:
            course = Course(before=await _look(device, admitted))
            demand_wanted()
            await self._record.begin(command, origin, admitted.raw, course.before)
            course.fault = await _written(device, admitted, course, demand_wanted)
        return course

    def _admit(self, command: Command, origin: Origin) -> tuple[Askable, Admitted]:
        gate.demand_id(command.id)
        if self._admitted >= MOST_AT_ONCE:
            raise CommandRefusedError(f"{MOST_AT_ONCE} commands are under way; try again later")
        found = self._find(command.device)
        admitted = gate.admit(found.model, command.tag, command.value, self._config)
        self._demand_current(command, origin)
        return found, admitted

    def _demand_current(self, command: Command, origin: Origin) -> None:
        if origin.has_times:
            now_ms, in_doubt = self._clock.now_ms(), self._clock.in_doubt
            gate.demand_current(command, self._config, now_ms, is_in_doubt=in_doubt)

    async def _ended(
        self, command: Command, origin: Origin, answer: CommandAnswer
    ) -> CommandAnswer:
        """Record and log what became of a command; it has happened, recorded or not."""
        level = logging.INFO if answer.state is CommandState.VERIFIED else logging.WARNING
        what = f"{command.device} {command.tag} = {str(command.value)[:100]!r}"
        whose = f"{command.who or 'nobody'}, {origin.name}, {command.id}"
        _log.log(level, "write %s (%s): %s; %s", what, whose, answer.state, answer.words or "done")
        try:
            await self._record.end(command, origin, answer)
        except AuditError as error:
            _log.error("%s", error)
        return answer

    def _answer(
        self, command: Command, state: CommandState, words: str = "", course: Course | None = None
    ) -> CommandAnswer:
        course, now_ms = course or Course(), self._clock.now_ms()
        return CommandAnswer(command.id[:64], state, words, course.before, course.shows, now_ms)


def writer_of(loaded: LoadedGateway, find: Callable[[str], Askable], clock: Clock) -> Writer:
    """The writer of a gateway, or of a device that was opened alone."""
    record = Record(audit_path(loaded.config.buffer.path), clock.now_ms)
    return Writer(loaded.config.commands, find, record, clock)


async def _look(device: Askable, admitted: Admitted) -> Value | None:
    """What the tag shows now.

    Raises:
        CommandRefusedError: the device does not answer, or its driver has a bug.
    """
    try:
        return await executor.look(device, admitted)
    except Exception as error:
        raise CommandRefusedError(f"nothing was written: {_words(error)}") from error


async def _written(
    device: Askable, admitted: Admitted, course: Course, demand_wanted: Callable[[], None]
) -> str:
    """Write it; returns what ended that early, if anything did."""
    try:
        await executor.write(device, admitted, course, demand_wanted)
    except CommandRefusedError as error:
        course.refusal = str(error)
    except Exception as error:  # noqa: BLE001 - a driver's bug must not hide what may have been done
        return _words(error)
    return ""


def _words(error: Exception) -> str:
    is_told = isinstance(error, (DriverError, CannotAskError, TimeoutError))
    return str(error) if is_told and str(error) else f"{type(error).__name__} {error}".rstrip()
