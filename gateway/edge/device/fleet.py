"""All devices of a running edge: each can be started, stopped, replaced, added and taken out."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from edge_config.loading.resolved import ResolvedDevice
from edge_config.mistakes.problems import no_device
from gateway.core.batch import Gap
from gateway.core.days import MAX_AHEAD_MS
from gateway.core.status import Reason
from gateway.edge.device.bookkeeping.ticks import Past
from gateway.edge.device.clock import Leap
from gateway.edge.device.runtime import DeviceRuntime
from gateway.edge.device.surroundings import Surroundings

Successor = Callable[[Past], DeviceRuntime]
"""A device that is compiled and needs only its past."""


class NoSuchDeviceError(Exception):
    """No device of that id is configured."""


class Fleet:
    """The devices by id, in the order of the configuration.

    What is changed here lasts until the gateway stops; at its next start it runs what its
    configuration says.

    Args:
        prepare: compiles a device; raises before anything is touched.
        release: frees what a device had that is taken out, after it has stopped.
        remembered: what the buffer knows of devices, configured ones and others.
        shared: what they share.
    """

    def __init__(
        self,
        prepare: Callable[[ResolvedDevice], Successor],
        release: Callable[[str], None],
        remembered: dict[str, Past],
        shared: Surroundings,
    ) -> None:
        self._prepare = prepare
        self._release = release
        self._remembered = remembered
        self._journal = shared.journal
        self._live = shared.live
        self._restart = shared.restart
        self._clock = shared.clock
        self._now_ms = shared.clock.now_ms
        self._alarms = shared.alarms
        self._devices: dict[str, DeviceRuntime] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._changing = asyncio.Lock()
        self._was_in_doubt = False
        self._start_ms = 0

    def __iter__(self) -> Iterator[DeviceRuntime]:
        return iter(list(self._devices.values()))

    def __len__(self) -> int:
        return len(self._devices)

    def __getitem__(self, device: str) -> DeviceRuntime:
        try:
            return self._devices[device]
        except KeyError as error:
            raise NoSuchDeviceError(no_device(device, self._devices)) from error

    # -- the whole edge -------------------------------------------------------------------

    def compose(self, devices: Iterable[ResolvedDevice]) -> None:
        """Build the configured devices and date what was due while the gateway did not run."""
        for resolved in devices:
            device = resolved.config.id
            past = self._remembered.pop(device, Past())
            self._devices[device] = self._prepare(resolved)(past)
            self._forget_groups(device, past)
        now_ms = self._now_ms()
        # It may be confirmed before anybody looks again, and what was missed is counted then.
        self._was_in_doubt = self._clock.in_doubt
        # All of them first: the gap of the restart begins with the oldest tick that was missed.
        is_trusted = self._clock.is_continuous or not self._clock.in_doubt
        missed = [one.books.resume(now_ms, is_trusted=is_trusted) for one in self]
        first_ms = [tick for tick in missed if tick is not None]
        self._restart.begin(first_ms, now_ms, is_awaited=bool(missed))
        self._start_ms = now_ms
        self._end_unconfigured(now_ms)

    def _end_unconfigured(self, now_ms: int) -> None:
        """End and forget what the buffer remembers of devices that are not configured any more."""
        for device, past in self._remembered.items():
            for gap in past.gaps:
                self._journal.gap(replace(gap, to_ms=max(now_ms, gap.from_ms)))
            self._remembered[device] = self._forget(device, past)

    def _forget_groups(self, device: str, past: Past) -> None:
        """Forget groups that are not configured any more."""
        gone = past.progress.keys() - {group.name for group in self._devices[device].groups}
        self._forget(device, Past((), {name: past.progress[name] for name in gone}))

    def _forget(self, device: str, past: Past) -> Past:
        """Let the books of groups begin anew should they return."""
        forgotten = past.forgotten()
        for name, progress in forgotten.items():
            if past.progress[name] != progress:
                self._journal.progress(device, name, progress)
        return Past((), forgotten)

    def start_all(self, tasks: asyncio.TaskGroup) -> None:
        """Read all devices from now on, each in a task of the group."""
        self._tasks = tasks
        for runtime in self._devices.values():
            runtime.start(tasks)

    async def halt(self) -> None:
        """End reading, because the gateway stops; nothing can be started any more."""
        async with self._changing:
            self._tasks = None
            await asyncio.gather(*(runtime.halt() for runtime in self._devices.values()))
        for runtime in self._devices.values():
            runtime.books.end_skips()

    def catch_up(self, now_ms: int) -> None:
        """Bring the books of all devices up to now; called before every commit."""
        is_refused = bool(self._live.backlog().refused)  # what is sent now would be lost again
        self._heed_doubt(now_ms)
        for runtime in self._devices.values():
            if not runtime.books.is_current:
                runtime.books.catch_up(now_ms)
            if not is_refused:
                runtime.send_again()

    def leap(self, leap: Leap) -> None:
        """The clock goes on elsewhere; called before anything else looks at it."""
        for runtime in self._devices.values():
            runtime.books.leap(leap)
        self._restart.leap(leap)
        self._start_ms += leap.ms
        # So that people see in the list of gaps why times go on elsewhere.
        self._journal.gap(Gap("", "", (), Reason.CLOCK, leap.to_ms, leap.to_ms + 1))
        self._alarms.wake_all()

    def forget_sent(self, lost: Mapping[str, int]) -> None:
        """Values were given up after they had been processed: send anew what they told.

        Args:
            lost: the newest time of the lost values of each device ("": of all of them), UTC
                milliseconds.
        """
        for device, upto_ms in lost.items():
            for name, runtime in self._devices.items():
                if device in ("", name):
                    runtime.forget_sent(upto_ms)

    def _heed_doubt(self, now_ms: int) -> None:
        """When the clock is confirmed, send all values once, and count what was due before.

        Else what stands still would be shown in doubt, and be no evidence, until its silence ends.
        """
        before, self._was_in_doubt = self._was_in_doubt, self._clock.in_doubt
        if before and not self._was_in_doubt:
            for runtime in self._devices.values():
                runtime.forget_sent(now_ms + MAX_AHEAD_MS)
            missed = [runtime.books.confirmed() for runtime in self._devices.values()]
            first_ms = [tick for tick in missed if tick is not None]
            self._restart.confirmed(first_ms, self._start_ms)

    # -- one device -----------------------------------------------------------------------

    async def start(self, device: str) -> None:
        """Read a device that was stopped.

        Raises:
            NoSuchDeviceError: it is not configured.
        """
        async with self._changing:
            self._start(self[device])

    def _start(self, runtime: DeviceRuntime) -> None:
        if self._tasks is not None:
            runtime.start(self._tasks)

    async def stop(self, device: str) -> None:
        """Read a device no more; its ticks are skipped, in a gap with the cause ``stopped``.

        Raises:
            NoSuchDeviceError: it is not configured.
        """
        async with self._changing:
            await self[device].stop()

    async def restart(self, device: str) -> None:
        """Stop a device, and start it over a new connection.

        Raises:
            NoSuchDeviceError: it is not configured.
        """
        async with self._changing:
            await self[device].stop()
            self._start(self[device])

    async def replace(self, resolved: ResolvedDevice) -> None:
        """Let a device go on with another configuration; one that was stopped stays stopped.

        Groups of the same name go on in the books, gaps of those that are gone end.

        Raises:
            NoSuchDeviceError: it is not configured.
        """
        async with self._changing:
            before = self[resolved.config.id]
            successor, was_running = self._prepare(resolved), before.is_running
            await before.stop()
            past = before.books.past()
            after = self._devices[before.model.id] = successor(past)
            after.books.take_over(self._now_ms())
            self._forget_groups(before.model.id, past)
            if was_running:
                self._start(after)

    async def add(self, resolved: ResolvedDevice) -> None:
        """Read a device that was not configured until now; its books begin now.

        Raises:
            ValueError: there is one of its id.
        """
        async with self._changing:
            device = resolved.config.id
            if device in self._devices:
                raise ValueError(f"there is a device {device!r} already")
            runtime = self._prepare(resolved)(self._remembered.pop(device, Past()))
            self._devices[device] = runtime
            runtime.books.resume(self._now_ms())
            self._start(runtime)

    async def remove(self, device: str) -> None:
        """Take a device out: its gaps end, and it owes nothing from now on.

        Raises:
            NoSuchDeviceError: it is not configured.
        """
        async with self._changing:
            runtime = self[device]
            await runtime.stop()
            runtime.books.close(self._now_ms())
            self._remembered[device] = self._forget(device, runtime.books.past())
            del self._devices[device]
            self._release(device)
            self._live.remove_device(device)
