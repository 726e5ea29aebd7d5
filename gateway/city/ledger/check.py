"""Mistakes that only show when rows are seen together, and beside what the ledger holds. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from typing import cast

from gateway.city.ledger.rosters import Membership, RosterError, restated
from gateway.city.ledger.sheet.parsing import Record, Tables
from gateway.city.ledger.sheet.problems import Problem

DEFAULT_SITE = "1"

Rosters = Mapping[tuple[str, str], Sequence[Membership]]
"""Memberships by roster and USCC."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger holds already.

    Attributes:
        enterprises: their USCC.
        identifier_codes: USCC by enterprise part of the identifier prefix.
        rosters: memberships by roster and USCC.
    """

    enterprises: AbstractSet[str] = frozenset()
    identifier_codes: Mapping[str, str] = field(default_factory=dict)
    rosters: Rosters = field(default_factory=dict)


def site_of(record: Record) -> str:
    """The site of an equipment row; empty means the enterprise's only one."""
    return cast(str, record.values.get("site_no")) or DEFAULT_SITE


def check(tables: Tables, known: Known) -> Iterator[Problem]:
    """Every mistake between rows."""
    yield from _doubled(tables.enterprise, ("uscc",), "this enterprise")
    machines = [record for record in tables.equipment if record.values.get("asset_no")]
    yield from _doubled(machines, ("uscc", "site_no", "asset_no"), "this asset number")
    yield from _strangers(tables, known)
    yield from _shared_codes(tables.enterprise, known)
    for record in tables.enterprise:
        yield from _roster_dates(record, known)


def _doubled(records: Iterable[Record], keys: Sequence[str], what: str) -> Iterator[Problem]:
    first: dict[tuple[object, ...], Record] = {}
    for record in records:
        key = tuple(
            site_of(record) if name == "site_no" else record.values.get(name) for name in keys
        )
        earlier = first.setdefault(key, record)
        if earlier is not record:
            where = f"row {earlier.row}" + (
                "" if earlier.file == record.file else f" of {earlier.file}"
            )
            yield record.problem(keys[-1], f"{key[-1]}: {what} stands in {where} already")


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
