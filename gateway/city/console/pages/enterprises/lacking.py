"""Why an enterprise, or a county, has no rate: in words, never as a mere 0 / 0."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from enum import StrEnum

from sqlalchemy import Connection, func, select

from gateway.city.access.principal import Scope
from gateway.city.console.queries.database import EnterpriseRow, enterprises_on
from gateway.city.db.tables import equipment, ledger_verification
from gateway.city.rates.model import Definition
from gateway.city.rates.reports.table import RateCell, RateTable
from gateway.core.days import day_of
from gateway.relational.database import chunks


class Lack(StrEnum):
    """What an enterprise lacks to have a rate; values are keys of the catalogue."""

    OUTSIDE = "outside"  # the definition asks for others
    UNVERIFIED = "unverified"  # nobody has verified its ledger by the as-of day
    NO_MACHINES = "no_machines"  # its ledger is empty
    NONE_COUNTED = "none_counted"  # none of its machines is in the denominator
    NO_DATA = "no_data"  # the city received nothing in that month


ORDER = tuple(Lack)


def lack_of(
    definition: Definition, cell: RateCell | None, *, verified: bool, machines: int
) -> Lack | None:
    """What an enterprise lacks; None: it has a rate.

    Args:
        definition: by which it is counted.
        cell: its figures; None: it is out of the definition's scope.
        verified: its ledger had been verified by the as-of day.
        machines: of its ledger, counted or not.
    """
    if cell is None:
        return Lack.OUTSIDE
    if cell.pooled is not None:
        return None
    if cell.equipment:
        return Lack.NO_DATA
    if definition.excludes_unverified and not verified:
        return Lack.UNVERIFIED
    return Lack.NONE_COUNTED if machines else Lack.NO_MACHINES


def counted(lacks: Iterable[Lack | None]) -> dict[Lack, int]:
    """How many enterprises lack what, in a fixed order; those that lack nothing are left out."""
    found = Counter(one for one in lacks if one is not None)
    return {one: found[one] for one in ORDER if found[one]}


def verified_by(connection: Connection, usccs: Collection[str], as_of: date) -> set[str]:
    """Which of some enterprises had a verification of their ledger by a day."""
    columns = ledger_verification.c
    found: set[str] = set()
    for some in chunks(sorted(usccs)):
        query = select(columns.uscc).where(columns.uscc.in_(some), columns.verified_on <= as_of)
        found.update(connection.scalars(query))
    return found


def machine_counts(connection: Connection, usccs: Collection[str]) -> dict[str, int]:
    """How many machines the ledgers of some enterprises have now."""
    columns, found = equipment.c, dict[str, int]()
    for some in chunks(sorted(usccs)):
        query = select(columns.uscc, func.count()).where(columns.uscc.in_(some))
        found.update(tuple(row) for row in connection.execute(query.group_by(columns.uscc)))
    return found


def lacks(
    connection: Connection,
    definition: Definition,
    members: Mapping[str, EnterpriseRow],
    cells: Mapping[str, RateCell],
    as_of: date,
) -> dict[str, Lack]:
    """What each enterprise without a rate lacks, by USCC; only of those anything is read."""
    empty = {uscc for uscc in members if uscc in cells and not cells[uscc].equipment}
    verified = verified_by(connection, empty, as_of)
    verified |= {uscc for uscc in empty if _is_verified(members[uscc], as_of)}
    machines = machine_counts(connection, empty)
    found = {
        uscc: lack_of(
            definition,
            cells.get(uscc),
            verified=uscc in verified and members[uscc].verified_on is not None,
            machines=machines.get(uscc, 0),
        )
        for uscc in members
    }
    return {uscc: one for uscc, one in found.items() if one is not None}


def _is_verified(row: EnterpriseRow, as_of: date) -> bool:
    return row.verified_on is not None and row.verified_on <= as_of


def lacking_counties(
    connection: Connection,
    table: RateTable,
    cells: Mapping[str, RateCell],
    scope: Scope,
    known: int | None,
) -> dict[str, dict[Lack, int]]:
    """What the enterprises of each county without machines lack, by its code.

    Args:
        connection: to the city's database.
        table: by county.
        cells: by enterprise.
        scope: of who asks.
        known: by which change of the ledger enterprises are of a county; None: now.
    """
    empty = {cell.key for cell in table.cells if not cell.equipment}
    if not empty:
        return {}
    as_of = day_of(table.as_of_ms - 1)
    listed = enterprises_on(connection, scope, as_of, known).items()
    members = {uscc: row for uscc, row in listed if row.county in empty}
    found = lacks(connection, table.definition, members, cells, as_of)
    by_county = {code: [uscc for uscc in found if members[uscc].county == code] for code in empty}
    return {code: counted(found[uscc] for uscc in usccs) for code, usccs in by_county.items()}
