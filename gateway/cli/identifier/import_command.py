"""``qulink id import``: a ledger sheet's machines get identifiers, or keep those they have."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.city.ledger.ledger_command import SHOWN_PROBLEMS, HiddenRows
from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, opened, system_ms
from gateway.cli.user import system_user
from gateway.cli.wording import counted, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_config.models.city import CityConfig
    from gateway.city.identifiers.issuing import Issuing
    from gateway.city.identifiers.sheets.plan import PlannedRow
    from gateway.city.identifiers.sheets.rows import SheetRows
    from gateway.city.ledger.sheet.hidden import Hidden
    from gateway.relational.database import Database

_SHOWN = 20
"""Rows of which a preview is printed; --json has all."""
_WORDS = {
    "has one": "have an identifier that a node has confirmed",
    "under way": "are under way: `qulink id status`",
    "is issued": "get one",
    "is adopted": "keep the identifier that stands in the sheet",
    "conflict": "in conflict, left as they are",
}


def register(group: typer.Typer) -> None:
    """Add the command."""
    example = "Example: `qulink id import ledger.xlsx --apply --write-back ledger-codes.xlsx`"
    group.command("import", epilog=example)(import_)


def import_(
    file: Annotated[Path, typer.Argument(help="The ledger sheet, .xlsx or .csv.")],
    config: CityFile = DEFAULT,
    apply: Annotated[
        bool, typer.Option("--apply", help="Do it; without it nothing is changed.")
    ] = False,
    write_back: Annotated[
        Path | None,
        typer.Option(help="Copy of the sheet to write confirmed identifiers into."),
    ] = None,
    hidden: Annotated[
        HiddenRows, typer.Option(help="What to do with hidden or filtered rows, and sheets.")
    ] = HiddenRows.REFUSE,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, a row each.")] = False,
) -> None:
    """Say which machines of a sheet would get identifiers; with --apply release them.

    The machines must be in the ledger. A row with a code (column 标识编码) keeps it if it belongs
    to its enterprise's prefix and neither city nor node knows it as another machine's. The node
    registers afterwards; with --write-back what it has confirmed is written into a copy, which is
    filled in further when asked for again. Exit code 1: rows are in conflict, and the reasons are
    printed; the others are done.
    """
    city = load(config)
    copy = _checked_copy(file, write_back)
    with opened(city) as database, _rules(city) as rules, _told():
        found = _read(file, hidden)
        rows = _planned(database, city, rules, found)
        if apply:
            _apply(database, rules, rows)
        written = _written(database, rules, file, copy, hidden) if copy else None
    _print_json(rows) if as_json else _print(rows, found, is_done=apply)
    if written is not None:
        typer.echo(f"{counted(written, 'identifier')} written into {write_back}", err=as_json)
    if found.problems or any(one.fate == "conflict" for one in rows):
        raise typer.Exit(1)


def _checked_copy(file: Path, copy: Path | None) -> Path | None:
    if copy is None:
        return None
    if copy.suffix.lower() != file.suffix.lower():
        fail(f"{copy}: the copy of {file.name} must end in {file.suffix}, too")
    if copy.exists() and file.exists() and copy.samefile(file):
        fail(f"{copy} is the sheet itself, which stays as it is; give the copy another name")
    return copy


@contextmanager
def _rules(city: "CityConfig") -> "Iterator[Issuing]":
    """By which identifiers are issued; exits 1 if the file of issued ones cannot be used."""
    from gateway.city.identifiers.issued import FILE, IssuedFile, IssuedFileError
    from gateway.city.identifiers.registering.registrar import rules_of
    from gateway.durable import make_folder

    try:
        make_folder(city.data_dir)
        issued = IssuedFile(city.data_dir / FILE)
    except (IssuedFileError, OSError) as error:
        fail(str(error))
    with closing(issued):
        yield rules_of(city.identifier, issued)


@contextmanager
def _told() -> "Iterator[None]":
    """Print what is wrong with a file, and end."""
    from gateway.city.ledger.sheet.problems import LedgerError

    try:
        yield
    except LedgerError as error:
        shown = [str(one) for one in error.problems[:SHOWN_PROBLEMS]]
        fail("\n".join([*shown, f"{counted(len(error.problems), 'problem')}; nothing was changed"]))


def _read(file: Path, hidden: HiddenRows) -> "SheetRows":
    from gateway.city.identifiers.sheets.rows import read_rows

    return read_rows([file], system_ms(), _wish(hidden))


def _wish(hidden: HiddenRows) -> "Hidden":
    from gateway.city.ledger.sheet.hidden import Hidden

    return Hidden(hidden.value)


def _planned(
    database: "Database", city: "CityConfig", rules: "Issuing", found: "SheetRows"
) -> "Sequence[PlannedRow]":
    from gateway.city.identifiers.node_service import node_registry
    from gateway.city.identifiers.sheets.applying import asked
    from gateway.city.identifiers.sheets.plan import Fate, planned
    from gateway.identifier.node.credentials import CredentialsError

    rows = database.read_now(planned, found.rows, rules, system_ms())
    if not any(one.fate is Fate.ADOPT for one in rows):
        return rows

    async def by_node() -> "Sequence[PlannedRow]":
        async with node_registry(city, system_ms) as registry:
            return await asked(database, rows, registry.read)

    try:
        return asyncio.run(by_node())
    except CredentialsError as error:
        fail(str(error))


def _apply(database: "Database", rules: "Issuing", rows: "Sequence[PlannedRow]") -> None:
    from rich.progress import track
    from sqlalchemy.exc import IntegrityError

    from gateway.city.identifiers.sheets.applying import apply, portions

    due = portions(rows)
    try:
        for portion in track(due, "releasing", console=_console(), transient=True):
            database.run_now(apply, portion, rules.issued, system_ms(), system_user())
    except IntegrityError:
        fail("one of the machines was given an identifier meanwhile; ask again for the rest")


def _console() -> Any:
    from rich.console import Console

    return Console(stderr=True, quiet=not Console(stderr=True).is_terminal)


def _written(
    database: "Database", rules: "Issuing", file: Path, copy: Path, hidden: HiddenRows
) -> int:
    """Fill a copy in; one that is there already is filled in further."""
    from gateway.city.identifiers.sheets.write_back import confirmed, write_back

    source = copy if copy.exists() else file
    rows = _read(source, hidden).rows
    handles = database.read_now(confirmed, rows, rules, system_ms())
    try:
        return write_back(source, copy, handles)
    except OSError as error:
        fail(f"cannot write {copy}: {error.strerror or error}")


def _print_json(rows: "Sequence[PlannedRow]") -> None:
    for one in rows:
        row = {
            "sheet": one.row.file,
            "row": one.row.row,
            **one.row.machine._asdict(),
            "fate": str(one.fate),
            "handle": one.handle or None,
            "preview": one.preview or None,
            "why": one.why or None,
        }
        typer.echo(json.dumps(row, ensure_ascii=False))


def _print(rows: "Sequence[PlannedRow]", found: "SheetRows", *, is_done: bool) -> None:
    wrong = [*map(str, found.problems)]
    wrong += [str(one.row.problem(one.why)) for one in rows if one.fate == "conflict"]
    for line in wrong[:SHOWN_PROBLEMS]:
        typer.echo(visible(line), err=True)
    if len(wrong) > SHOWN_PROBLEMS:
        typer.echo(f"… and {len(wrong) - SHOWN_PROBLEMS} more; --json has all", err=True)
    for one in [one for one in rows if one.preview][: 0 if is_done else _SHOWN]:
        name = one.row.machine
        typer.echo(visible(f"row {one.row.row}, {name.asset_no} of {name.uscc}: {one.preview}"))
    typer.echo("done:" if is_done else "dry run, nothing was changed; --apply does it:")
    counts = Counter(str(one.fate) for one in rows)
    for fate, words in _WORDS.items():
        if counts[fate]:
            typer.echo(f"{counts[fate]:>8,} {words}")
