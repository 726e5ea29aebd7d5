"""What becomes of each row of a sheet: it has an identifier, gets one, keeps its own, or none."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection

from gateway.city.identifiers.issued import IssuedFile
from gateway.city.identifiers.issuing import Issuing
from gateway.city.identifiers.progress.standing import Standing
from gateway.city.identifiers.sheets import conflicts
from gateway.city.identifiers.sheets.held import HeldMachine, machines_of, owners_of
from gateway.city.identifiers.sheets.rows import SheetRow
from gateway.city.ledger.names import MachineName
from gateway.identifier.codes.handle import Handle


class Fate(StrEnum):
    """What becomes of a row."""

    CONFIRMED = "has one"  # a node has confirmed it
    UNDER_WAY = "under way"  # released or issued, and not confirmed yet
    ISSUE = "is issued"  # would be released, and then gets one
    ADOPT = "is adopted"  # keeps the identifier that stands in the sheet
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A row and what becomes of it.

    Attributes:
        row: of the sheet.
        fate: what becomes of it.
        machine: of the ledger; None: there is none.
        handle: its identifier: confirmed, or to be adopted; empty: none that may be shown.
        preview: what an issued one would look like; its number is not known before.
        why: of a conflict: what is wrong and what to do.
    """

    row: SheetRow
    fate: Fate
    machine: HeldMachine | None = None
    handle: str = ""
    preview: str = ""
    why: str = ""


def planned(
    connection: Connection, rows: Sequence[SheetRow], rules: Issuing, now_ms: int
) -> list[PlannedRow]:
    """What becomes of the rows of sheets, by the city's own books; no node is asked.

    Args:
        connection: the city's database.
        rows: of all sheets.
        rules: by which identifiers are issued, and what was issued before.
        now_ms: UTC milliseconds.
    """
    machines = machines_of(connection, [one.machine for one in rows], rules, now_ms)
    owners = owners_of(connection, [one.code for one in rows if one.code])
    books = _Books(machines, owners, rules.issued)
    firsts = _Firsts()
    return [_planned(row, books, firsts.conflict(row)) for row in rows]


@dataclass(frozen=True, slots=True)
class _Books:
    """What the city knows."""

    machines: Mapping[MachineName, HeldMachine]
    owners: Mapping[str, MachineName]
    issued: IssuedFile


class _Firsts:
    """Rows that repeat a machine or an identifier of an earlier one."""

    def __init__(self) -> None:
        self._seen: dict[object, SheetRow] = {}

    def conflict(self, row: SheetRow) -> str:
        """What is wrong with a row beside those before it; empty: nothing."""
        keys: list[tuple[object, str]] = [(row.machine.key, row.machine.asset_no)]
        keys += [(row.code.upper(), row.code)] if row.code else []
        for key, said in keys:
            first = self._seen.setdefault(key, row)
            if first is not row:
                where = "" if first.file == row.file else f" of {first.file}"
                return f"{said} stands in row {first.row}{where} already; delete one of the two"
        return ""


def _planned(row: SheetRow, books: _Books, doubled: str) -> PlannedRow:
    machine = books.machines.get(row.machine)
    why = doubled or next(_wrong(row, machine, books), "")
    if why or machine is None:
        return PlannedRow(row, Fate.CONFLICT, machine, why=why)
    if machine.is_confirmed:
        return PlannedRow(row, Fate.CONFIRMED, machine, machine.handle)
    if machine.handle:
        return PlannedRow(row, Fate.UNDER_WAY, machine)
    if row.code:
        return PlannedRow(row, Fate.ADOPT, machine, row.code)
    fate = Fate.UNDER_WAY if machine.standing is Standing.ISSUING else Fate.ISSUE
    return PlannedRow(row, fate, machine, preview=machine.preview)


def _wrong(row: SheetRow, machine: HeldMachine | None, books: _Books) -> Iterator[str]:
    if machine is None:
        yield conflicts.no_machine(row.machine)
    elif machine.standing is Standing.WITHDRAWN:
        yield conflicts.withdrawn(row.machine)
    elif row.code:
        yield from conflicts.of_code(row.code, machine)
        yield from _others(row.code, machine, books)
    if machine is not None and not machine.prefix:
        yield conflicts.no_code(row.machine)


def _others(code: str, machine: HeldMachine, books: _Books) -> Iterator[str]:
    """Whether it is, or ever was, another machine's."""
    handle = Handle.parse(code)
    if (owner := books.owners.get(handle.key, machine.name)) != machine.name:
        yield conflicts.of_another(code, owner)
    before = books.issued.owner(handle)
    if not machine.handle and before is not None and before.key != machine.name.key:
        yield conflicts.of_another(code, before)
