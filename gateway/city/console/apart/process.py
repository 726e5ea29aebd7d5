"""Starts the process apart with the first work, and again when it dies."""

import asyncio
import contextlib
import logging
import pickle
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from edge_config.models.city import CityConfig
from gateway.children import child
from gateway.city.console.apart.giving_up import TRIES, GivenUp, key_of
from gateway.city.console.apart.messages import LENGTH, Done, Work, unpacked
from gateway.city.rates.columns.progress import Progress, unreported
from gateway.retry import Retry

log = logging.getLogger(__name__)

COMMAND = (sys.executable, "-m", "gateway.city.console.apart")
STEADY_S = 60.0
"""A process that worked for so long has got over what ended the one before."""

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class _Asked:
    """A work whose end somebody waits for; a process is given it until one has done it.

    Attributes:
        deaths: how many processes died that had it in hand.
        is_given: the present one has it.
    """

    order: bytes
    key: str
    done: "asyncio.Future[bytes]"
    progress: Progress
    deaths: int = 0
    is_given: bool = False


class OwnProcess:
    """Runs what takes long in a process of its own; see :class:`place.Apart`.

    A work is begun again by the next process when one dies over it, so that whoever waits for it
    hears of its end alone; that a process died is in the log. Works over which one died come one
    at a time, so that only the one that is to blame dies again; it is given up after
    :data:`TRIES`.

    Args:
        config: of the city.
    """

    def __init__(self, config: CityConfig) -> None:
        self._config = config
        self._numbers = count(1)
        self._asked: dict[int, _Asked] = {}
        self._wanted = asyncio.Event()
        self._process: Process | None = None
        self._given_up = GivenUp()
        self.deaths = 0

    def given_up(self) -> list[str]:
        """See :meth:`Apart.given_up`."""
        return self._given_up.names()

    async def read(
        self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """See :meth:`Apart.read`."""
        work = Work(next(self._numbers), function, args, kwargs, is_computing=False)
        found: T = await self._ask(work, unreported)
        return found

    async def compute(
        self, function: Callable[..., T], *what: Any, progress: Progress, **how: Any
    ) -> T:
        """See :meth:`Apart.compute`."""
        work = Work(next(self._numbers), function, what, how, is_computing=True)
        found: T = await self._ask(work, progress)
        return found

    async def _ask(self, work: Work, progress: Progress) -> Any:
        key = key_of(work)
        self._given_up.refuse(key)
        order = await asyncio.to_thread(pickle.dumps, work)
        asked = _Asked(order, key, asyncio.get_running_loop().create_future(), progress)
        self._asked[work.number] = asked
        try:
            self._wanted.set()
            self._give(asked)
            value = await asked.done
        finally:
            del self._asked[work.number]
            self._give_suspect()
        return await asyncio.to_thread(pickle.loads, value)

    def _give(self, asked: _Asked) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(asked.order)
            asked.is_given = True

    def _give_all(self) -> None:
        """What a process is given when it has started."""
        for asked in self._asked.values():
            asked.is_given = False
            if not asked.deaths:
                self._give(asked)
        self._give_suspect()

    def _give_suspect(self) -> None:
        """The next of those over which a process died, if none of them is in hand."""
        suspects = [one for one in self._asked.values() if one.deaths]
        if suspects and not any(one.is_given for one in suspects):
            self._give(min(suspects, key=lambda one: one.deaths))

    def _blame(self) -> None:
        """A process has died: what it had in hand is suspect, and given up in the end."""
        self.deaths += 1
        for asked in self._asked.values():
            if asked.is_given and not asked.done.done():
                asked.is_given, asked.deaths = False, asked.deaths + 1
                if asked.deaths >= TRIES:
                    asked.done.set_exception(self._given_up.add(asked.key))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Works are done while the block runs; afterwards the process has ended."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        retry = Retry(
            log, "the process that computes figures ended", "it is steady again",
            first_ms=500, longest_ms=60_000, level=logging.ERROR,
        )  # fmt: skip
        await self._wanted.wait()  # who shows nothing that takes long needs none
        while True:
            try:
                cause = f"exit code {await self._one(retry)}"
                self._blame()
            except OSError as error:  # there is no memory for one more process
                cause = str(error)
            retry.failed(cause)
            await asyncio.sleep(retry.pause_s())

    async def _one(self, retry: Retry) -> int:
        """A process from its start to its end; its exit code."""
        steady = asyncio.get_running_loop().call_later(STEADY_S, retry.succeeded)
        try:
            async with child(COMMAND, pickle.dumps(self._config), (), answers=True) as process:
                self._process = process
                self._give_all()
                await self._hear(process)
                return await process.wait()
        finally:
            steady.cancel()
            self._process = None

    async def _hear(self, process: Process) -> None:
        """Take its answers until there are no more."""
        assert process.stdout is not None  # noqa: S101 - a pipe
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                (length,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
                answer = unpacked(await process.stdout.readexactly(length))
                asked = self._asked.get(answer.number)
                if asked is None or asked.done.done():  # nobody waits for it any more
                    continue
                if not isinstance(answer, Done):
                    asked.progress(answer.what, answer.done, answer.total)
                elif answer.error is not None:
                    asked.done.set_exception(answer.error)
                else:
                    asked.done.set_result(answer.value)
