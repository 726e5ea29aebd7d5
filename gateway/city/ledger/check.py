"""Mistakes that only show when rows are seen together, and beside what the ledger holds. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from typing import cast

from gateway.city.ledger.names import MachineName
from gateway.city.ledger.rosters import Membership, RosterError, restated
from gateway.city.ledger.sheet.parsing import Record, Tables
from gateway.city.ledger.sheet.problems import Problem

DEFAULT_SITE = "1"
_LISTED = 5
"""Columns that are named in one sentence."""

Rosters = Mapping[tuple[str, str], Sequence[Membership]]
"""Memberships by roster and USCC."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger holds already.

    Attributes:
        enterprises: their USCC.
        identifier_codes: USCC by enterprise part of the identifier prefix.
        rosters: memberships by roster and USCC.
        machines: ids by key of the name, of the numbers that renamings speak of.
        former: what those of them that were given up are called now.
    """

    enterprises: AbstractSet[str] = frozenset()
    identifier_codes: Mapping[str, str] = field(default_factory=dict)
    rosters: Rosters = field(default_factory=dict)
    machines: Mapping[MachineName, int] = field(default_factory=dict)
    former: Mapping[MachineName, MachineName] = field(default_factory=dict)


def site_of(record: Record) -> str:
    """The site of an equipment row; empty means the enterprise's only one."""
    return cast(str, record.values.get("site_no")) or DEFAULT_SITE


def name_of(record: Record) -> MachineName:
    """The machine that an equipment row is about."""
    values = record.values
    return MachineName(str(values["uscc"]), site_of(record), str(values["asset_no"]))


def formerly(record: Record) -> MachineName | None:
    """What the machine of a row was called before, if the row says so."""
    old = record.values.get("formerly")
    return name_of(record)._replace(asset_no=str(old)) if old else None


def check(tables: Tables, known: Known) -> Iterator[Problem]:
    """Every mistake between rows."""
    machines = [record for record in tables.equipment if record.values.get("asset_no")]
    yield from _doubled(tables.enterprise, _enterprise_of, "uscc", "this enterprise", _beside)
    yield from _doubled(machines, _machine_of, "asset_no", "this asset number", _beside)
    renamed = [record for record in machines if formerly(record)]
    yield from _doubled(renamed, formerly_key, "formerly", "this former number")
    yield from _renamings(renamed, known)
    yield from _strangers(tables, known)
    yield from _shared_codes(tables.enterprise, known)
    for record in tables.enterprise:
        yield from _roster_dates(record, known)


def _enterprise_of(record: Record) -> object:
    return record.values["uscc"]


def _machine_of(record: Record) -> object:
    return name_of(record).key


def formerly_key(record: Record) -> object:
    """The former name of a row's machine, as it is compared."""
    old = formerly(record)
    return old and old.key


def _doubled(
    records: Iterable[Record],
    key_of: Callable[[Record], object],
    column: str,
    what: str,
    beside: Callable[[Record, Record], str] = lambda _earlier, _record: "",
) -> Iterator[Problem]:
    first: dict[object, Record] = {}
    for record in records:
        earlier = first.setdefault(key_of(record), record)
        if earlier is not record:
            where = f"row {earlier.row}" + (
                "" if earlier.file == record.file else f" of {earlier.file}"
            )
            number = record.values.get(column)
            said = f"{number}: {what} stands in {where} already{beside(earlier, record)}"
            yield record.problem(column, said)


def _beside(earlier: Record, record: Record) -> str:
    """What a second row says otherwise than the first, and what to do."""
    values = record.values
    other = [
        written
        for key, written in record.written.items()
        if key in values and key in earlier.values and values[key] != earlier.values[key]
    ]
    if not other:
        return "; delete one of the two rows"
    return f", with another {', '.join(other[:_LISTED])}; find out which is right, delete the other"


def _renamings(records: Sequence[Record], known: Known) -> Iterator[Problem]:
    """A former number must be a machine of the ledger, the new one free or given up here."""
    given_up = {formerly_key(record) for record in records}
    for record in records:
        old, new = formerly(record), name_of(record)
        assert old is not None  # noqa: S101 - the caller chose these
        if old.key == new.key:
            yield record.problem(
                "formerly", f"{old.asset_no} is what it is called now; leave empty"
            )
        # A file that is imported again tells of a renaming that is done already.
        elif known.machines.get(old.key) is None and known.former.get(old.key) != new.key:
            yield record.problem("formerly", f"{old.asset_no} is no machine of this site's ledger")
        # In a chain (A becomes B, B becomes C) the new number is given up by another row.
        elif new.key in known.machines and new.key not in given_up and old.key in known.machines:
            message = f"{new.asset_no} stands in the ledger beside {old.asset_no}: two machines"
            yield record.problem("formerly", message)


def _strangers(tables: Tables, known: Known) -> Iterator[Problem]:
    here = {record.values["uscc"] for record in tables.enterprise} | known.enterprises
    for record in tables.equipment:
        if record.values["uscc"] not in here:
            yield record.problem(
                "uscc", f"enterprise {record.values['uscc']} is neither in these files nor known"
            )


def _shared_codes(records: Iterable[Record], known: Known) -> Iterator[Problem]:
    owners = dict(known.identifier_codes)
    for record in records:
        code, own = record.values.get("identifier_code"), str(record.values["uscc"])
        if code is not None and owners.setdefault(str(code), own) != own:
            yield record.problem(
                "identifier_code", f"{code} belongs to enterprise {owners[str(code)]} already"
            )


def _roster_dates(record: Record, known: Known) -> Iterator[Problem]:
    values = record.values
    start, end = (
        cast(date | None, values.get("roster_from")),
        cast(date | None, values.get("roster_to")),
    )
    rosters = cast(tuple[str, ...], values.get("roster") or ())
    for roster in rosters:
        try:
            restated(known.rosters.get((roster, str(values["uscc"])), ()), start, end, None, roster)
        except RosterError as error:
            yield record.problem(error.column, str(error))
    if not rosters and (start is not None or end is not None):
        yield record.problem("roster", "is empty, but a date of a roster is given")
