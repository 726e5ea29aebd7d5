"""The resolver of the console's process, with what it keeps: opened and closed with it."""

import logging
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from typing import NamedTuple

from edge_config.models.city import CityConfig
from edge_config.models.identifiers.resolver import ResolverConfig
from gateway.city.identifiers.own import OwnLedger
from gateway.identifier.registering.source import RegisteredSource
from gateway.identifier.resolving.composing import resolver_of
from gateway.identifier.resolving.keeping import Disk
from gateway.identifier.resolving.resolver import Resolver
from gateway.relational.database import Database

logger = logging.getLogger(__name__)


class Fault(NamedTuple):
    """A source that cannot be opened: its name, and why, in words."""

    source: str
    why: str


def needs_login(config: CityConfig) -> bool:
    """Whether others would be asked if the console knew who is signed in.

    Strangers cannot make the city ask: neither a visitor nor a page that he has open elsewhere.
    """
    return bool(config.resolver.sources) and not config.console.has_login


def is_own(config: CityConfig, code: str) -> bool:
    """Whether a code stands below the city's prefix, whether or not there is such a machine."""
    return f"{code.partition('/')[0]}.".upper().startswith(f"{config.identifier.prefix}.".upper())


@asynccontextmanager
async def opened_resolver(config: CityConfig, database: Database) -> AsyncIterator[Resolver | None]:
    """Whom the city asks for codes that are not its own; None: nobody is, or may be, asked."""
    if not config.resolver.sources or needs_login(config):
        yield None
        return
    own = OwnLedger(database, config.identifier.prefix)
    with _disk(config.resolver) as disk:
        resolver = resolver_of(config.resolver, disk, time.time, own)
        try:
            await faults_of(resolver)  # for the log
            yield resolver
        finally:
            await resolver.close()


async def faults_of(resolver: Resolver) -> list[Fault]:
    """Sources that cannot be opened now; each is tried, and is logged when that changes."""
    registered = [one for one in resolver.sources if isinstance(one, RegisteredSource)]
    faults = [Fault(one.name, await one.fault()) for one in registered]
    return [one for one in faults if one.why]


@contextmanager
def _disk(settings: ResolverConfig) -> Iterator[Disk | None]:
    """What was found before; without it codes are asked for anew, which harms nobody."""
    try:
        settings.path.parent.mkdir(parents=True, exist_ok=True)
        disk = Disk(settings.path, settings.kept)
    except (OSError, sqlite3.Error) as error:
        logger.warning(
            "cannot use %s: %s; it may be deleted, or `resolver.path` name another file. "
            "Until the next start nothing that is resolved is kept on disk",
            settings.path,
            error,
        )
        yield None
        return
    with closing(disk):
        yield disk
