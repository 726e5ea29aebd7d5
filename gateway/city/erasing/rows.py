"""Which rows of the database are an enterprise's, and what becomes of them when it is erased.

Rows that nothing published rests on are deleted. Rows that hold a figure, a chain or a name
together stay without what they said.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    delete,
    exists,
    func,
    insert,
    null,
    or_,
    select,
    update,
)

from gateway.city.db import closed, monthly
from gateway.city.db.schema.access import (
    api_token,
    city_user,
    console_session,
    erasure,
    one_time_link,
    outside_login,
)
from gateway.city.db.schema.alerting.alerts import alert, watched
from gateway.city.db.schema.alerting.messages import (
    alert_contact,
    alert_message,
    alert_message_part,
)
from gateway.city.db.schema.checking.findings import (
    finding,
    finding_pass,
    finding_said,
    finding_seen,
)
from gateway.city.db.schema.checking.samples import sample_draw_machine, sample_entry
from gateway.city.db.schema.clock import confirmed_clock, doubted_evidence
from gateway.city.db.schema.daymaps import day_map
from gateway.city.db.schema.declared import declared_value, sample_machine
from gateway.city.db.schema.identifiers import identifier_review
from gateway.city.db.schema.ledger_history import (
    data_agreement,
    enterprise_history,
    machine_history,
    undated_history,
    verification_history,
)
from gateway.city.db.schema.months import evidence_month
from gateway.city.db.schema.stops import planned_stop, shift_schedule
from gateway.city.db.tables import (
    edge_books,
    enterprise,
    equipment_rows,
    evidence,
    gap,
    gateway,
    ledger_verification,
    machine_alias,
    machine_books,
    quarantine,
    tag_schema,
    watermark,
)
from gateway.city.evidence.rows import months_of

ERASED = "（已擦除）"
"""In place of a name that must be something."""
Condition = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Blanked:
    """Rows that stay without what they said.

    Attributes:
        table: of the database.
        where: which rows.
        values: what stands in them then.
    """

    table: Table
    where: Condition
    values: Mapping[str, Any]


def deleted(
    connection: Connection, uscc: str, users: Iterable[str]
) -> list[tuple[Table, Condition]]:
    """Rows that go, in an order that no reference forbids.

    Args:
        connection: the city's database.
        uscc: of the enterprise.
        users: of the city who see nothing but this enterprise.
    """
    names = sorted(users)
    gateways = select(gateway.c.id).where(gateway.c.uscc == uscc)
    others = select(machine_alias.c.machine_id).where(machine_alias.c.uscc != uscc)
    months = evidence_month.c.machine_id
    sent = quarantine.c.gateway.in_(gateways) & _said_before(uscc)
    by_day = (*monthly.tables(connection), machine_books, doubted_evidence)
    by_gateway = (doubted_evidence, confirmed_clock, gap, edge_books, tag_schema)
    return [
        *((table, _on_its_days(table, uscc)) for table in by_day),
        (evidence_month, months.in_(_machines(uscc)) & months.not_in(others)),
        *((table, table.c.gateway.in_(gateways)) for table in (*by_gateway, watermark)),
        (quarantine, sent),
        (machine_books, machine_books.c.gateway.in_(gateways)),
        (declared_value, declared_value.c.uscc == uscc),
        (identifier_review, identifier_review.c.equipment_id.in_(_owned(uscc))),
        (ledger_verification, ledger_verification.c.uscc == uscc),
        *_findings(uscc),
        (undated_history, undated_history.c.machine_id.in_(_owned(uscc))),
        (undated_history, undated_history.c.uscc == uscc),
        (sample_entry, _entered_of(uscc)),
        *_alerts(uscc, names),
        *(
            (table, table.c.user_name.in_(names))
            for table in (one_time_link, console_session, outside_login, api_token, alert_contact)
        ),
    ]


def _said_before(uscc: str) -> Condition:
    """Messages but those that were refused since: that they came stays, without what they held."""
    begun = select(func.max(erasure.c.begun_ms)).where(erasure.c.uscc == uscc).scalar_subquery()
    came = quarantine.c.received_ms
    return (quarantine.c.payload != b"") | begun.is_(None) | (came <= begun)


def _findings(uscc: str) -> list[tuple[Table, Condition]]:
    """Findings of the enterprise, and of others that name its machines."""
    about = (finding.c.uscc == uscc) | finding.c.key.contains(uscc, autoescape=True)
    own = select(finding.c.id).where(about)
    return [
        *((table, table.c.finding_id.in_(own)) for table in (finding_seen, finding_said)),
        (finding, about),
        (finding_pass, finding_pass.c.uscc == uscc),
    ]


def _entered_of(uscc: str) -> Condition:
    """Entries of its machines in samples; the look that ended a sample says what was seen."""
    machine, entry = sample_draw_machine.c, sample_entry.c
    own = (machine.uscc == uscc) & (machine.sample_id == entry.sample_id)
    return exists(select(machine.place).where(own, machine.place == entry.place))


def _alerts(uscc: str, names: list[str]) -> list[tuple[Table, Condition]]:
    """Alerts about the enterprise, who watches it, and what its people watch and are sent."""
    about = select(alert.c.id).where(alert.c.uscc == uscc)
    sent = select(alert_message.c.id).where(alert_message.c.recipient.in_(names))
    parts = alert_message_part.c
    return [
        (alert_message_part, parts.alert_id.in_(about) | parts.message_id.in_(sent)),
        (alert_message, alert_message.c.recipient.in_(names)),
        (alert, alert.c.uscc == uscc),
        (watched, (watched.c.uscc == uscc) | watched.c.owner.in_(names)),
    ]


_TEXTS = (
    *("workshop", "line", "model", "maker", "serial_no", "category", "controller"),
    *("interfaces", "entered_by", "documents"),
)
_UNSAID = {"original_value_yuan": null(), "verified_by": null(), "verified_on": null()}
_SIZE = {"employees": null(), "revenue_wan": null()}
_UNVERIFIED = {"ledger_verified_by": null(), "ledger_verified_on": null()}
_NOBODY = {"said_by": "", "document": ""}
_BLANKS: tuple[tuple[Table, Mapping[str, Any]], ...] = (
    (enterprise, _UNVERIFIED | _SIZE),
    (equipment_rows, dict.fromkeys(_TEXTS, "") | _UNSAID | {"name": ERASED}),
    (machine_history, {"controller": ""}),
    (enterprise_history, _SIZE),
    (planned_stop, _NOBODY),
    (shift_schedule, _NOBODY),
    (data_agreement, {"said_by": ""}),  # by what was collected
    (sample_machine, {"photo": ""}),
    (sample_draw_machine, {"name": ERASED}),
    (day_map, {"body": b""}),  # its digest holds the chain of evidence and the months' roots
    (gateway, {"state": null(), "last_seen_ms": null()}),  # by its id it is refused
)
"""What stands in rows that name the enterprise and stay."""


def blanked(uscc: str, users: Iterable[str]) -> list[Blanked]:
    """Rows that stay without what they said."""
    said = verification_history.c  # null: it was taken back
    verified = (said.uscc == uscc) & said.verified_by.is_not(None)
    people = {"display_name": ERASED, "password": ""}  # the audit log says their names
    return [
        *(Blanked(table, table.c.uscc == uscc, values) for table, values in _BLANKS),
        Blanked(verification_history, verified, {"verified_by": ""}),
        Blanked(city_user, city_user.c.name.in_(sorted(users)), people),
    ]


def counts(connection: Connection, uscc: str, users: Iterable[str]) -> dict[str, int]:
    """How many rows there are to delete or to blank, by table."""
    names, found = list(users), {evidence.name: 0}
    for table, where in deleted(connection, uscc, names):
        name = monthly.subject(table)
        found[name] = found.get(name, 0) + _count(connection, table, where)
    for one in blanked(uscc, names):
        said = or_(*(_differs(one.table.c[name], to) for name, to in one.values.items()))
        found[one.table.name] = _count(connection, one.table, one.where & said)
    return found


def erase(connection: Connection, uscc: str, users: Iterable[str]) -> None:
    """Delete and blank; what is done already is done again, and changes nothing."""
    names = list(users)
    shared = _shared(connection, uscc)
    with closed.opened(connection):
        for table, where in deleted(connection, uscc, names):
            connection.execute(delete(table).where(where))
    for one in blanked(uscc, names):
        connection.execute(update(one.table).where(one.where).values(one.values))
    if shared:  # they were another enterprise's before or after, and their months are of both
        own = evidence_month.c.machine_id.in_(shared)
        connection.execute(delete(evidence_month).where(own))
        rows = connection.execute(select(evidence).where(evidence.c.machine_id.in_(shared)))
        months = months_of([row._asdict() for row in rows])
        if months:
            connection.execute(insert(evidence_month), months)


def _shared(connection: Connection, uscc: str) -> list[int]:
    """Machines of the enterprise that were another's on some days."""
    other = machine_alias.c
    query = select(other.machine_id).where(
        other.uscc != uscc, other.machine_id.in_(_machines(uscc))
    )
    return list(connection.scalars(query.distinct()))


def _machines(uscc: str) -> Select[tuple[int]]:
    return select(machine_alias.c.machine_id).where(machine_alias.c.uscc == uscc)


def _owned(uscc: str) -> Select[tuple[int]]:
    return select(equipment_rows.c.id).where(equipment_rows.c.uscc == uscc)


def _on_its_days(table: Table, uscc: str) -> Condition:
    """Rows of machines on days on which their number was one of the enterprise."""
    alias, day = machine_alias.c, table.c.day
    holds = (alias.valid_from <= day) & (alias.valid_to.is_(None) | (day < alias.valid_to))
    named = (alias.machine_id == table.c.machine_id) & (alias.uscc == uscc)
    return exists(select(alias.machine_id).where(named, holds))


def _differs(column: ColumnElement[Any], to: object) -> Condition:
    if to is None or isinstance(to, type(null())):
        return column.is_not(None)
    return column != to


def _count(connection: Connection, table: Table, where: Condition) -> int:
    return connection.scalar(select(func.count()).select_from(table).where(where)) or 0
