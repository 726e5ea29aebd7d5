"""Serve the pages until the city that started this process ends."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import BinaryIO

import msgspec
from sqlalchemy import Connection, func, select

from edge_config.models.base import SecretUnavailableError
from edge_config.models.city import CityConfig
from gateway.city.access import links, users
from gateway.city.alerts.alerting import Alerting
from gateway.city.alerts.delivery.sending import Sending
from gateway.city.console import log
from gateway.city.console.apart.process import OwnProcess
from gateway.city.console.app import build
from gateway.city.console.context import ConsoleContext
from gateway.city.console.live.present import Present
from gateway.city.console.order import UNUSABLE, Answer, Order, read_order
from gateway.city.console.remember import HASTY_S
from gateway.city.db.tables import equipment
from gateway.city.identifiers.resolving import opened_resolver
from gateway.city.ledger.uploading.kept import Uploads
from gateway.city.ledger.uploading.running import sweep_hourly
from gateway.city.rates.definitions import DefinitionError, definition_of, load_definitions
from gateway.city.rates.findings.kept.nightly import Looking
from gateway.city.stores.api import StoreError
from gateway.city.stores.choose import make_store
from gateway.relational.database import connect
from gateway.retry import Retry
from gateway.web.serve import serve
from gateway.web.waiting import GivenUpError, NotYetError

logger = logging.getLogger(__name__)

_UNUSABLE = (SecretUnavailableError, DefinitionError, StoreError, OSError)
"""Faults of the configuration, whose message says enough."""
_COURTESY = 5
"""Receiving values goes before pages (``nice``)."""
_NEW_OBJECTS = 100_000
"""After so many new objects the garbage collector looks for cycles; Python's default is 700.
Figures of a large city are hundreds of thousands of objects that stay, and to look through all of
them stops every page for 0.1 s and more."""
_LARGE = 100_000
"""Machines of a city whose first figures take longer than a page may wait."""
_AHEAD_AFTER_S = 5.0
"""What a start has to do, and the first page, go before what is made ahead."""
_AHEAD_AGAIN_S = 600.0
"""After so long it is made again, so that who comes in the morning need not wait, either."""
_SWITCH_S = 0.001
"""How long a thread that makes figures may keep the interpreter from pages; Python's is 5 ms."""


def system_ms() -> int:
    """The system clock, UTC milliseconds."""
    return time.time_ns() // 1_000_000


def main() -> None:
    """Read the order, serve, end with the city."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches the city, too
    log.begin()
    with contextlib.suppress(OSError):  # a service manager may forbid it
        os.nice(_COURTESY)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print belongs to the log
    try:
        order = read_order(sys.stdin.buffer)
    except EOFError:
        return  # the city ended before it said anything
    try:
        asyncio.run(run(order, answers))
    except* _UNUSABLE as faults:
        first = faults.exceptions[0]
        say(answers, Answer(str(first)))
        sys.exit(UNUSABLE)


def say(answers: BinaryIO, answer: Answer) -> None:
    """Tell the city what became of the start; one that was killed meanwhile hears nothing."""
    with contextlib.suppress(BrokenPipeError):
        answers.write(msgspec.json.encode(answer) + b"\n")


async def run(order: Order, answers: BinaryIO) -> None:
    """Serve until the city ends, or SIGTERM.

    Raises:
        ExceptionGroup: of faults that its configuration has, or of a defect.
    """
    gc.set_threshold(_NEW_OBJECTS)
    sys.setswitchinterval(_SWITCH_S)
    config = order.config
    listener = socket.socket(fileno=order.listener)
    async with _context(config) as context, asyncio.TaskGroup() as tasks:
        if config.console.accounts:
            await tell_first_link(context)
        base, faults = context.database, context.alert_faults
        alerting = Alerting(config, base, context.definitions, system_ms, faults)
        sending = Sending(config, base, system_ms, faults=faults)
        headline = definition_of(context.definitions, config.definitions.headline)
        looking = Looking(base, headline, config.demonstration, system_ms)
        serving = serve(
            build(context), config.console, listener, ready=lambda: say(answers, Answer())
        )
        started = [
            tasks.create_task(_open(context)),
            tasks.create_task(context.live.run()),
            tasks.create_task(alerting.run()),
            tasks.create_task(looking.run()),
            tasks.create_task(sweep_hourly(Uploads(config.data_dir), system_ms)),
            tasks.create_task(sending.run()),
            tasks.create_task(serving),
            tasks.create_task(_keep_ahead(context)),
        ]
        await _end_of_city()
        for task in started:
            task.cancel()


@asynccontextmanager
async def _context(config: CityConfig) -> AsyncIterator[ConsoleContext]:
    """What pages are given; the database has been migrated by the city before."""
    definitions = load_definitions(config.definitions.file, config.calendar.file)
    with closing(connect(config.database.url, config.data_dir, config.database.password)) as base:
        store = make_store(config.store, config.data_dir)
        live = Present(config.data_dir, base, store, config.silence_ms, system_ms)
        apart = OwnProcess(config)
        try:
            async with opened_resolver(config, base) as resolver, apart.running():
                first_wait_s = await base.read(first_wait_of)
                yield ConsoleContext(
                    config, base, live, store, system_ms, apart, definitions, resolver,
                    first_wait_s=first_wait_s,
                )  # fmt: skip
        finally:
            await live.close()
            await store.close()


def first_wait_of(connection: Connection) -> float | None:
    """How long a page of this city waits for what was never computed: hardly, if it is large."""
    machines = connection.scalar(select(func.max(equipment.c.id))) or 0  # a look at one key
    return HASTY_S if machines >= _LARGE else None


async def _keep_ahead(context: ConsoleContext) -> None:
    """Make what pages show first a while after the start, and again and again."""
    await asyncio.sleep(_AHEAD_AFTER_S)
    while True:
        await make_ahead(context)
        await asyncio.sleep(_AHEAD_AGAIN_S)


async def make_ahead(context: ConsoleContext) -> None:
    """Make what pages show first, one after another, so that whoever comes need not wait for it.

    What fails is told to who asks for it.
    """
    for make in context.ahead:
        while True:
            (found,) = await asyncio.gather(make(), return_exceptions=True)
            if not isinstance(found, NotYetError) or isinstance(found, GivenUpError):
                break


async def tell_first_link(context: ConsoleContext) -> None:
    """Where there is no user yet, say at each start how to become the first administrator."""
    secret = await context.database.run(links.invite_first, context.now_ms(), anew=False)
    if secret is None and not await context.database.read(users.has_any):
        logger.warning(
            "nobody can log in yet: the link of an earlier start still holds; "
            "'qulink city user link' makes another"
        )
    if secret is not None:
        # Meant for who reads the log of a first start: it opens one page, once, for three days.
        logger.warning(
            "nobody can log in yet: open %s to become the first administrator "
            "(once, within three days; 'qulink city user link' makes another)",
            links.link_of(context.config.console, secret),
        )


async def _open(context: ConsoleContext) -> None:
    """Open the store; until it answers, pages say that it does not."""
    retry = Retry(logger, "the console cannot read the store", "the console reads the store again")
    await retry.until_done(context.store.open, StoreError)


async def _end_of_city() -> None:
    """Wait for SIGTERM, or for the end of standard input: then the city has ended, or wants it."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    # A signal ends it the way the city's own end does: one path to an orderly stop.
    loop.add_signal_handler(signal.SIGTERM, reader.feed_eof)
    await reader.read()
