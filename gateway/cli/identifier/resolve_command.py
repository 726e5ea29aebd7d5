"""``qulink id resolve``: what is known of a code, and who said so."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from gateway.cli.tables import print_table
from gateway.cli.wording import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_config.models.identifiers.resolver import ResolverConfig
    from gateway.identifier.resolving.answer import Answer, Hop
    from gateway.identifier.resolving.keeping import Disk

Text = Annotated[str, typer.Argument(metavar="CODE", help="A code, as scanned or copied.")]
At = Annotated[
    list[str] | None,
    typer.Option(metavar="HOST:PORT", help="Native servers to ask, one after another."),
]
Config = Annotated[
    Path | None, typer.Option(help="A city's configuration: its `resolver` says who is asked.")
]


def register(group: typer.Typer) -> None:
    """Add the command."""
    example = "Example: `qulink id resolve 88.100.1/EQ001 --at 127.0.0.1:2641 --trace`"
    group.command("resolve", epilog=example)(resolve)


def resolve(
    code: Text,
    config: Config = None,
    at: At = None,
    trace: Annotated[bool, typer.Option("--trace", help="Show whom it was asked of.")] = False,
    timeout_ms: Annotated[
        int | None, typer.Option(min=100, max=60_000, help="Longest wait for one server.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Ask for a code of any identifier system that is known.

    With --config what was found before is given again as long as its source allows it, and beyond
    that, marked as stale, while nobody can be asked. Exit code 1: nothing was found, and the
    reason is printed.
    """
    from gateway.identifier.resolving.answer import Outcome

    settings = _settings(config, at or [], timeout_ms)
    with _disk(settings, is_kept=config is not None) as disk:
        answer = asyncio.run(_asked(code, settings, disk))
    if as_json:
        import msgspec

        typer.echo(json.dumps(msgspec.to_builtins(answer), ensure_ascii=False, indent=2))
    else:
        _print(answer, trace=trace)
    if answer.outcome is not Outcome.FOUND:
        _fail(f"{visible(answer.code)}: {answer.outcome}: {visible(answer.why)}")


def _settings(config: Path | None, at: "Sequence[str]", timeout_ms: int | None) -> "ResolverConfig":
    """Who is asked: those of the command, then those of the configuration."""
    from dataclasses import replace

    from edge_config.models.identifiers.resolver import NativeServers, ResolverConfig, demand_place
    from gateway.cli.city.opening import load

    settings = load(config).resolver if config is not None else ResolverConfig()
    try:
        servers = tuple(map(demand_place, at))
    except ValueError as error:
        _fail(f"--at: {error}")
    own = (NativeServers(type="native", servers=servers),) if servers else ()
    if not (sources := (*own, *settings.sources)):
        _fail("say whom to ask: --at HOST:PORT, or --config with `resolver.sources`")
    longest = timeout_ms or settings.timeout_ms
    return replace(settings, sources=sources, timeout_ms=longest)


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
        _fail(f"cannot use {settings.path}: {error}; it may be deleted, or name another file")
    with closing(disk):
        yield disk


async def _asked(code: str, settings: "ResolverConfig", disk: "Disk | None") -> "Answer":
    from gateway.identifier.resolving.composing import resolver_of

    resolver = resolver_of(settings, disk, time.time)
    try:
        return await resolver.resolve_text(code)
    finally:
        await resolver.close()


def _print(answer: "Answer", *, trace: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text as Cell

    console = Console(soft_wrap=True)
    if trace:
        _print_hops(answer.hops)
    if answer.items:
        console.print(Cell(f"{answer.code}, from {answer.source}{' (stale)' * answer.is_stale}"))
        table = Table("index", "type", "data")
        for one in answer.items:
            cells = (str(one.index or ""), one.type, one.text)
            table.add_row(*(Cell(visible(cell)) for cell in cells))
        print_table(console, table)


def _print_hops(hops: "Sequence[Hop]") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text as Cell

    table = Table("source", "place", "asked for", "answer", "ms")
    for one in hops:
        cells = (one.source, one.place, one.asked, one.outcome, f"{one.took_s * 1000:.1f}")
        table.add_row(*(Cell(visible(cell)) for cell in cells))
    print_table(Console(soft_wrap=True), table)


def _fail(why: str) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(1)
