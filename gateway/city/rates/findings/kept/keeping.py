"""What was found of an enterprise or county is kept: what is as before adds no row."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from gateway.city.db.schema.checking.findings import (
    finding,
    finding_pass,
    finding_said,
    finding_seen,
)
from gateway.city.rates.findings.model import Finding, Kind
from gateway.relational.database import alone

LOCK = "finding"
_USCC = 18
_OF_MACHINES = frozenset(
    {
        *(Kind.SAME_TIMES, Kind.FIXED_TIMES, Kind.MOSTLY_INVALID),
        *(Kind.SAME_VALUES, Kind.SAME_DAYS, Kind.OUTSIDE_RANGE),
    }
)
"""Kinds of which each machine, or pair of machines, has its own; others an enterprise has once."""
NIGHTLY = frozenset(Kind) - {Kind.SAME_VALUES, Kind.SAME_DAYS, Kind.OUTSIDE_RANGE}
"""Kinds that evidence and ledger tell; the others are asked of the store, and of some days."""


class State(StrEnum):
    """Where a finding stands."""

    OPEN = "open"
    EXPLAINED = "explained"
    GONE = "gone"  # it was there, and is in no month any more


@dataclass(frozen=True, slots=True)
class Looked:
    """What was looked at.

    Attributes:
        month: ``YYYY-MM``.
        synthetic: synthetic evidence was looked at, too.
        rules: version of the thresholds.
        at_ms: when, UTC milliseconds.
        uscc: of the enterprise; empty: all counties.
        judged: kinds of which all there are were looked for: what is not found is there no more.
    """

    month: str
    synthetic: bool
    rules: int
    at_ms: int
    uscc: str = ""
    judged: AbstractSet[Kind] = NIGHTLY


@dataclass(frozen=True, slots=True)
class _Known:
    """A finding that is kept, with what was seen and said of it."""

    row: Row[Any]
    seen: Mapping[str, Row[Any]]  # the newest of each month
    said: Row[Any] | None


def keep(connection: Connection, looked: Looked, found: Iterable[Finding]) -> None:
    """Add what was seen otherwise than before.

    Args:
        connection: the city's database, in a transaction that has read nothing yet.
        looked: what was looked at.
        found: all that was found there.
    """
    alone(connection, LOCK)
    known = _known(connection, looked)
    there: set[tuple[str, str, str]] = set()
    for one in found:
        uscc, county = ("", one.whose) if one.kind is Kind.HEAPED else (one.whose, "")
        at = (one.kind.value, uscc + county, _key(one))
        there.add(at)
        _there(connection, looked, one, known.get(at))
    for at, before in known.items():
        if at not in there and before.row.kind in looked.judged:
            _gone(connection, looked, before)
    if looked.judged:
        _note_pass(connection, looked)


def _key(one: Finding) -> str:
    machines = one.machines if one.kind in _OF_MACHINES else ()
    return " ".join((one.part, *machines)).strip()


def of_each(found: Iterable[Finding]) -> dict[str, list[Finding]]:
    """Findings by the enterprise that they are kept of: of each that one names."""
    firms: defaultdict[str, list[Finding]] = defaultdict(list)
    for one in found:
        for uscc in sorted({one.whose, *(foreign_of(name) for name in one.machines)} - {""}):
            firms[uscc].append(replace(one, whose=uscc))
    return dict(firms)


def foreign_of(machine: str) -> str:
    """USCC before the number of a machine; empty: there is none, as sites are shorter."""
    before, slash, _ = machine.partition("/")
    return before if slash and len(before) == _USCC else ""


def _known(connection: Connection, looked: Looked) -> dict[tuple[str, str, str], _Known]:
    columns = finding.c
    query = select(finding).where(columns.synthetic.is_(looked.synthetic))
    own = (columns.uscc == looked.uscc) if looked.uscc else (columns.county != "")
    rows = connection.execute(query.where(own)).all()
    ids = [row.id for row in rows]
    seen: defaultdict[int, dict[str, Row[Any]]] = defaultdict(dict)
    all_seen = select(finding_seen).where(finding_seen.c.finding_id.in_(ids))
    for one in connection.execute(all_seen.order_by(finding_seen.c.id)):
        seen[one.finding_id][one.month] = one
    said = last_said(connection, ids)
    return {
        (row.kind, row.uscc + row.county, row.key): _Known(row, seen[row.id], said.get(row.id))
        for row in rows
    }


def last_said(connection: Connection, findings: Sequence[int]) -> dict[int, Row[Any]]:
    """What was said last of findings, by their id, with the month and machines it was said of."""
    said, seen = finding_said, finding_seen
    query = select(said, seen.c.month, seen.c.machines).join(seen, seen.c.id == said.c.seen_id)
    query = query.where(said.c.finding_id.in_(findings)).order_by(said.c.id)
    return {row.finding_id: row for row in connection.execute(query)}


def _there(connection: Connection, looked: Looked, one: Finding, before: _Known | None) -> None:
    held = {
        "part": one.part,
        "machines": json.dumps(one.machines, ensure_ascii=False),
        "numbers": json.dumps(dict(one.numbers), sort_keys=True),
    }
    if before is None:
        _begin(connection, looked, one, held)
        return
    last = before.seen.get(looked.month)
    is_news = last is None or not last.there or any(getattr(last, key) != held[key] for key in held)
    values: dict[str, Any] = {"last_ms": looked.at_ms}
    newest = max(_months(before), default="")
    if is_news:
        seen_id = _see(connection, looked, before.row.id, held, there=True)
        if looked.month >= newest:
            values |= {"seen_id": seen_id, "month": looked.month}
            values["state"] = state_of(looked.month, held["machines"], before.said)
    _set(connection, before.row.id, values)


def _begin(connection: Connection, looked: Looked, one: Finding, held: Mapping[str, Any]) -> None:
    of_county = one.kind is Kind.HEAPED
    row = {
        "kind": one.kind.value,
        "uscc": "" if of_county else one.whose,
        "county": one.whose if of_county else "",
        "key": _key(one),
        "synthetic": looked.synthetic,
        "state": State.OPEN.value,
        "month": looked.month,
        "first_ms": looked.at_ms,
        "last_ms": looked.at_ms,
        "seen_id": 0,
    }
    number = connection.execute(insert(finding).values(row).returning(finding.c.id)).scalar_one()
    _set(connection, number, {"seen_id": _see(connection, looked, number, held, there=True)})


def _gone(connection: Connection, looked: Looked, before: _Known) -> None:
    last = before.seen.get(looked.month)
    if last is None or not last.there:
        return
    held = {"part": last.part, "machines": last.machines, "numbers": last.numbers}
    seen_id = _see(connection, looked, before.row.id, held, there=False)
    others = [month for month in _months(before) if month != looked.month]
    if not others:
        _set(connection, before.row.id, {"state": State.GONE.value, "seen_id": seen_id})
        return
    newest = before.seen[max(others)]
    state = state_of(newest.month, newest.machines, before.said)
    values = {"state": state, "month": newest.month, "seen_id": newest.id}
    _set(connection, before.row.id, values)


def _months(known: _Known) -> Iterator[str]:
    """Months in which it is there."""
    return (month for month, row in known.seen.items() if row.there)


def state_of(month: str, machines: str, said: Row[Any] | None) -> str:
    """Whether what was said last explains what is seen.

    It holds for the months up to the one that it was said of, and for the machines of then.

    Args:
        month: the newest one in which it is there.
        machines: of it, as they are kept.
        said: of :func:`last_said`; None: nothing.
    """
    covers = (
        said is not None
        and said.explains
        and month <= said.month
        and set(json.loads(machines)) <= set(json.loads(said.machines))
    )
    return (State.EXPLAINED if covers else State.OPEN).value


def _see(
    connection: Connection, looked: Looked, number: int, held: Mapping[str, Any], *, there: bool
) -> int:
    row = {"finding_id": number, "month": looked.month, "at_ms": looked.at_ms, "there": there}
    own = insert(finding_seen).values(row | {"rules": looked.rules} | dict(held))
    return int(connection.execute(own.returning(finding_seen.c.id)).scalar_one())


def _set(connection: Connection, number: int, values: Mapping[str, Any]) -> None:
    connection.execute(update(finding).where(finding.c.id == number).values(**values))


def _note_pass(connection: Connection, looked: Looked) -> None:
    row = {"uscc": looked.uscc, "month": looked.month, "synthetic": looked.synthetic}
    own = [finding_pass.c[name] == value for name, value in row.items()]
    connection.execute(delete(finding_pass).where(*own))
    connection.execute(insert(finding_pass).values(row | {"at_ms": looked.at_ms}))
