"""``qulink rates engine``: the engine that counts machines, its copies, and whether it is right."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.city.noting import Purpose, note_rows
from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, opened, system_ms
from gateway.cli.city.rates.asking import answer

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from edge_config.models.city import CityConfig
    from gateway.city.rates.engines.asking import Compared
    from gateway.city.rates.engines.copies import Copies, Copy
    from gateway.city.rates.inquiry import Inquiry

_HELP = """The engine that counts machines, as rates.engine of the city names it.

Exit code 1: there is none but the city's own, it cannot be asked, or it counts otherwise.
"""
_SHOWN = 20
"""Differences that are shown; a city has ten thousand cells."""
Month = Annotated[str, typer.Argument(help="YYYY-MM; default: the running month.")]


def register(rates: typer.Typer) -> None:
    """Add the commands."""
    engine = typer.Typer(help=_HELP, no_args_is_help=True)
    engine.command("check", epilog="Example: `qulink rates engine check`")(_check)
    engine.command("send", epilog="Example: `qulink rates engine send 2026-10`")(_send)
    engine.command("compare", epilog="Example: `qulink rates engine compare 2026-10`")(_compare)
    engine.command("tables", epilog="Example: `qulink rates engine tables`")(_tables)
    rates.add_typer(engine, name="engine")


def _check(config: CityFile = DEFAULT) -> None:
    """Say which copies of months there are, of when, and whether they are as the city is now."""
    city = load(config)
    with _copies(city) as copies:
        typer.echo(copies.store.where)
        copies.store.prepare()
        held = copies.all()
        if not held:
            typer.echo("no copies yet; the first month that is counted is sent, or: engine send")
        for one in held:
            _with_month(city, _name(one), lambda *asked: _print_copy(copies, *asked))


def _print_copy(copies: "Copies", connection: "Connection", asked: "list[Inquiry]") -> None:
    found, why = copies.find(connection, asked)
    if found is not None:
        state = "as the city is now" if why is None else f"old: {why}"
        taken = f"{found.at:%Y-%m-%d %H:%M:%S} UTC"
        typer.echo(f"{_name(found)}: {found.machines} machines, of {taken}; {state}")


def _name(copy: "Copy") -> str:
    return f"{copy.month // 100}-{copy.month % 100:02}"


def _send(month: Month = "", purpose: Purpose = "", config: CityFile = DEFAULT) -> None:
    """Copy a month to the engine, compare what arrived, and only then call it complete.

    That rows of enterprises went there stands in the audit log.
    """
    city = load(config)
    with _copies(city) as copies:
        _note(city, "send", month, copies, purpose)
        _with_month(city, month, lambda *asked: _print_sent(copies, *asked))


def _note(city: "CityConfig", command: str, month: str, copies: "Copies", purpose: str) -> None:
    what = f"{month or 'the running month'}, {copies.store.where}"
    with opened(city) as database:
        note_rows(database, f"qulink rates engine {command}", what, purpose)


def _print_sent(copies: "Copies", connection: "Connection", asked: "list[Inquiry]") -> None:
    copy = copies.send(connection, asked)
    typer.echo(f"{_name(copy)}: {copy.machines} machines sent to {copies.store.where}")


def _compare(month: Month = "", purpose: Purpose = "", config: CityFile = DEFAULT) -> None:
    """Count a month by the city and by the engine, by all definitions, and compare every cell.

    A copy that is not as the city is now is sent anew before. That cells of enterprises may be
    shown, and rows sent, stands in the audit log.
    """
    from gateway.city.rates.engines.asking import compare
    from gateway.city.rates.engines.counting import CopiedMonths

    city, found = load(config), list["Compared"]()
    with _copies(city) as copies:
        _note(city, "compare", month, copies, purpose)
        engine = CopiedMonths(copies)
        _with_month(
            city, month, lambda connection, asked: found.extend(compare(connection, engine, asked))
        )
    for one in found:
        equal = "一致 equal" if not one.differences else f"{len(one.differences)} cells differ"
        typer.echo(f"{one.definition.id}: {one.networked}/{one.equipment} {equal}")
        for dimension, key, here, there in one.differences[:_SHOWN]:
            typer.echo(f"  {dimension} {key}: city {here}, engine {there}")
    if any(one.differences for one in found):
        fail("the engine counts otherwise: compute by rates.engine relational, and report it")


def _tables(config: CityFile = DEFAULT) -> None:
    """Print the statements by which ClickHouse makes the tables, for who has the right to."""
    from edge_config.models.counting import ClickHouseEngine
    from gateway.city.rates.engines.clickhouse import definitions_of

    engine = load(config).rates.engine
    if not isinstance(engine, ClickHouseEngine):
        fail(f"rates.engine is {engine.type}; only ClickHouse has tables that another makes")
    for statement in definitions_of(engine.cluster):
        typer.echo(f"{statement};")


@contextmanager
def _copies(city: "CityConfig") -> "Iterator[Copies]":
    """The engine's copies; what it cannot do is said."""
    from gateway.city.rates.engines.copies import Copies
    from gateway.city.rates.engines.engine import EngineError
    from gateway.city.rates.engines.opening import open_store

    try:
        store = open_store(city)
        if store is None:
            fail("rates.engine is relational: the city counts by itself, from its own database")
        try:
            yield Copies(store, city.city.region)
        finally:
            store.close()
    except EngineError as error:
        fail(str(error))


def _with_month(
    city: "CityConfig", month: str, use: "Callable[[Connection, list[Inquiry]], object]"
) -> None:
    """Ask on one snapshot of the city's database about a month, by all definitions."""
    from gateway.city.rates.definitions import load_definitions
    from gateway.city.rates.engines.asking import month_inquiries
    from gateway.city.rates.reports.answering import answering_now

    def on(connection: "Connection") -> None:
        now_ms, demonstration = system_ms(), city.demonstration
        inquiries = month_inquiries(
            connection,
            load_definitions(city.definitions.file, city.calendar.file).values(),
            month or None,
            now_ms,
            demonstration=demonstration,
            answering=answering_now(
                connection, now_ms, city.silence_ms, demonstration=demonstration
            ),
        )
        use(connection, inquiries)

    answer(city, lambda database: database.read_now(on))
