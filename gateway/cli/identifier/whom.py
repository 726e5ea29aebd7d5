"""Whom ``qulink id resolve`` asks, and what it has kept."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gateway.cli.city.opening import fail, load

if TYPE_CHECKING:
    from edge_config.models.city import CityConfig
    from edge_config.models.identifiers.resolver import ResolverConfig
    from gateway.identifier.resolving.answer import Source
    from gateway.identifier.resolving.keeping import Disk
    from gateway.identifier.resolving.resolver import Resolver


@contextmanager
def opened_resolver(
    config: Path | None, at: Sequence[str], timeout_ms: int | None
) -> "Iterator[Callable[[], Resolver]]":
    """How to make a resolver, within a running loop, of a command's options; exits 1 with why not.

    Args:
        config: a city's configuration.
        at: native servers that are asked before those of the configuration.
        timeout_ms: longest wait for one server; None: as configured.
    """
    from gateway.identifier.resolving.composing import resolver_of

    city = load(config) if config is not None else None
    settings = _settings(city, at, timeout_ms)
    with _own(city) as own, _disk(settings, is_kept=city is not None) as disk:
        yield lambda: resolver_of(settings, disk, time.time, own)


def _settings(
    city: "CityConfig | None", at: Sequence[str], timeout_ms: int | None
) -> "ResolverConfig":
    """Who is asked: those of the command, then those of the configuration."""
    from dataclasses import replace

    from edge_config.models.identifiers.places import demand_place
    from edge_config.models.identifiers.resolver import NativeServers, ResolverConfig

    settings = city.resolver if city is not None else ResolverConfig()
    try:
        servers = tuple(map(demand_place, at))
    except ValueError as error:
        fail(f"--at: {error}")
    named = (NativeServers(type="native", servers=servers),) if servers else ()
    sources = (*named, *settings.sources)
    if not sources and city is None:
        fail("say whom to ask: --at HOST:PORT, or --config with `resolver.sources`")
    return replace(settings, sources=sources, timeout_ms=timeout_ms or settings.timeout_ms)


@contextmanager
def _own(city: "CityConfig | None") -> "Iterator[Source | None]":
    """The city's ledger; if its database cannot be used, others are asked without it."""
    if city is None:
        yield None
        return
    from edge_config.models.base import SecretUnavailableError
    from gateway.city.db.upgrade import open_database
    from gateway.city.identifiers.own import OwnLedger
    from gateway.relational.database import DatabaseUnusableError

    try:
        database = open_database(city)
    except (DatabaseUnusableError, SecretUnavailableError) as error:
        typer.echo(f"the city's own ledger is not asked: {error}", err=True)
        yield None
        return
    with closing(database):
        yield OwnLedger(database, city.identifier.prefix)


@contextmanager
def _disk(settings: "ResolverConfig", *, is_kept: bool) -> "Iterator[Disk | None]":
    """What was found before, if there is a configuration to say where it is."""
    import sqlite3

    from gateway.identifier.resolving.keeping import Disk

    if not is_kept:
        yield None
        return
    try:
        settings.path.parent.mkdir(parents=True, exist_ok=True)
        disk = Disk(settings.path, settings.kept)
    except (OSError, sqlite3.Error) as error:
        fail(f"cannot use {settings.path}: {error}; it may be deleted, or name another file")
    with closing(disk):
        yield disk
