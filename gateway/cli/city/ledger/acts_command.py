"""``qulink ledger acts`` and ``undo``: what was done to the ledger, and taking it back."""

from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.city.ledger.spoken import Language, Spoken, sentence
from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, opened, system_ms
from gateway.cli.user import system_user

if TYPE_CHECKING:
    from gateway.city.ledger.undoing.acts import Act
    from gateway.city.ledger.undoing.undo import Undoing


def register(ledger: typer.Typer) -> None:
    """Add the commands."""
    ledger.command("acts", epilog="Example: `qulink ledger acts --limit 20`")(_acts)
    ledger.command("undo", epilog="Example: `qulink ledger undo 12 --dry-run`")(_undo)


def _acts(
    config: CityFile = DEFAULT,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The newest so many.")] = 50,
) -> None:
    """List what was done to the ledger: number, when, by whom, of how many rows."""
    from gateway.city.ledger.undoing.acts import acts_page

    with opened(load(config)) as database:
        found, more = database.read_now(acts_page, None, limit)
    _print(found)
    if more:
        typer.echo("there are older ones: --limit")


def _print(found: "list[Act]") -> None:
    from rich.console import Console
    from rich.table import Table

    from gateway.cli.city.ledger.ledger_output import moment
    from gateway.cli.tables import print_table

    table = Table(
        "编号 act", "时间 known since", "经办 by", "事项 what", "来源 source", "行数 rows"
    )
    for one in found:
        counts = ", ".join(f"{key} {count}" for key, count in one.counts.items())
        table.add_row(
            str(one.number), moment(one.known_ms), one.made_by, one.kind, one.source, counts
        )
    print_table(Console(soft_wrap=True), table)


def _undo(
    act: Annotated[int, typer.Argument(help="Its number, as `qulink ledger acts` lists it.")],
    config: CityFile = DEFAULT,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change; change nothing.")
    ] = False,
    lang: Spoken = Language.EN,
) -> None:
    """Undo an act by a new one that says again what was said before.

    Nothing is overwritten, and an undoing can be undone. Names, workshops, lines and
    models go back, too. Later acts that changed the same are named.
    """
    from gateway.city.ledger.bitemporal.acts import Doing, Kind
    from gateway.city.ledger.undoing.undo import UndoError, undoing
    from gateway.city.ledger.undoing.undone import undo
    from gateway.cli.city.ledger import waiting

    with opened(load(config)) as database:
        try:
            if dry_run:
                found = database.read_now(undoing, act)
            else:
                doing = Doing(Kind.UNDO, system_user(), str(act), system_ms())
                with waiting.told(lang) as tell:
                    found = undo(database, act, doing, tell)
        except UndoError as error:
            fail(sentence(str(error), lang))
    if dry_run:
        typer.echo("dry run, nothing was changed:")
    _tell(found)


def _tell(found: "Undoing") -> None:
    from gateway.city.ledger.machines import SINCE_EVER

    for what, count in found.counts.items():
        typer.echo(f"{what}: {count}")
    if found.new:
        typer.echo(f"new machines that count as entered by mistake: {found.new}")
    if found.stays:
        typer.echo(f"new enterprises that stay, without these machines: {found.stays}")
    for day, count in sorted(found.since.items()):
        since = "all days" if day <= SINCE_EVER else f"days from {day} on"
        typer.echo(f"another thing holds of {since}: {count}")
