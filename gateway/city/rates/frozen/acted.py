"""Frozen months behind whose results the ledger was changed: by which act, from which day on."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, exists, func, or_, select

from gateway.city.access.principal import Scope
from gateway.city.access.scoping import seen
from gateway.city.db.schema.ledger_history import (
    enterprise_history,
    ledger_act,
    machine_history,
    roster_history,
    status_history,
    verification_history,
)
from gateway.city.db.schema.rates import rate_result
from gateway.city.db.tables import enterprise, equipment
from gateway.city.ledger.bitemporal.acts import Kind
from gateway.city.ledger.machines import SINCE_EVER
from gateway.city.rates.period import last_day

MOST_ACTS = 20
"""So many are told, the newest."""


@dataclass(frozen=True, slots=True)
class Acted:
    """An act upon the ledger that results of frozen months do not know.

    Attributes:
        number: of the act.
        known_ms: since when it is known, UTC milliseconds.
        kind: a value of ``Kind``.
        made_by: who.
        since: first day of what it says; 1970-01-01: of all days.
        machines: of which it says another thing of days of these months.
        enterprises: likewise, with memberships of rosters and verifications.
        months: frozen ones, ``YYYY-MM``, oldest first.
    """

    number: int
    known_ms: int
    kind: str
    made_by: str
    since: date
    machines: int
    enterprises: int
    months: tuple[str, ...]


def acted(connection: Connection, scope: Scope, *, demonstration: bool) -> list[Acted]:
    """Acts behind frozen months, the newest first, of the rows that a scope sees."""
    months = _known(connection, demonstration=demonstration)
    if not months:
        return []
    query = (
        select(ledger_act)
        .where(ledger_act.c.change_id > min(months.values()), ledger_act.c.kind != Kind.MIGRATION)
        .order_by(ledger_act.c.change_id.desc())
        .limit(MOST_ACTS)
    )
    acts: Sequence[Any] = connection.execute(query).all()
    days = _days(connection, scope, [one.id for one in acts])
    return [told for one in acts if (told := _told(one, days[one.id], months))]


def _known(connection: Connection, *, demonstration: bool) -> Mapping[str, int]:
    """The newest change of the ledger that all newest results of a frozen month know."""
    columns = rate_result.c
    newest = (
        select(columns.month, columns.definition, func.max(columns.ledger_change).label("known"))
        .where(columns.synthetic.is_(demonstration), columns.ledger_change.is_not(None))
        .group_by(columns.month, columns.definition)
        .subquery()
    )
    query = select(newest.c.month, func.min(newest.c.known)).group_by(newest.c.month)
    return {row[0]: row[1] for row in connection.execute(query)}


Firsts = Mapping[str, Counter[date]]
"""How many machines, and enterprises, by the first day of what an act says of them."""


def _days(
    connection: Connection, scope: Scope, acts: Sequence[int]
) -> Mapping[int, dict[str, Counter[date]]]:
    found: defaultdict[int, dict[str, Counter[date]]] = defaultdict(
        lambda: {"machines": Counter(), "enterprises": Counter()}
    )
    own = select(equipment.c.id).join(enterprise, enterprise.c.uscc == equipment.c.uscc)
    machines, firms = own.where(seen(scope)), select(enterprise.c.uscc).where(seen(scope))
    for what, column, tables, day in (
        ("machines", "machine_id", (machine_history, status_history), "valid_from"),
        ("enterprises", "uscc", (enterprise_history, roster_history), "valid_from"),
        ("enterprises", "uscc", (verification_history,), "verified_on"),
    ):
        whose = None if scope.is_whole else machines if what == "machines" else firms
        parts = [
            select(one.c.act_id, one.c[column].label("of"), one.c[day].label("day"))
            .where(one.c.act_id.in_(acts), _changes(one, column, day))
            .where(*([] if whose is None else [one.c[column].in_(whose)]))
            for one in tables
        ]
        every = parts[0].union_all(*parts[1:]).subquery()
        firsts = (
            select(every.c.act_id, every.c.of, func.min(every.c.day).label("day"))
            .group_by(every.c.act_id, every.c.of)
            .subquery()
        )
        counted = select(firsts.c.act_id, firsts.c.day, func.count())
        for act, first, count in connection.execute(
            counted.group_by(firsts.c.act_id, firsts.c.day)
        ):
            found[act][what][first] += count
    return found


def _changes(table: Table, column: str, day: str) -> ColumnElement[bool]:
    """Not the first row of one, which holds since ever and changes nothing that was said."""
    if table not in (machine_history, enterprise_history):
        return table.c[day].is_not(None)
    before = table.alias()
    earlier = exists().where(before.c[column] == table.c[column], before.c.act_id < table.c.act_id)
    return or_(table.c[day] > SINCE_EVER, earlier)


def _told(act: Any, firsts: Firsts, months: Mapping[str, int]) -> Acted | None:
    days = [*firsts["machines"], *firsts["enterprises"]]
    since = min(days, default=date.max)
    late = sorted(
        month
        for month, known in months.items()
        if known < act.change_id and since <= last_day(month)
    )
    if not late:
        return None
    last = last_day(late[-1])
    machines, firms = (_until(firsts[of], last) for of in ("machines", "enterprises"))
    return Acted(act.id, act.known_ms, act.kind, act.made_by, since, machines, firms, tuple(late))


def _until(counts: Counter[date], last: date) -> int:
    return sum(count for day, count in counts.items() if day <= last)
