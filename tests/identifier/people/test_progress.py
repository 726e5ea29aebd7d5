"""How far machines are, in figures, and that nobody is shown what is not confirmed."""

import json
from datetime import date
from typing import Any

from sqlalchemy import Connection, select, update

from gateway.city.db.schema.identifiers import identifier, identifier_outbox
from gateway.city.identifiers.issuing import issue
from gateway.city.identifiers.progress.standing import Progress, Refusal, Standing, progress
from gateway.city.identifiers.review import approve, begin_reviews
from gateway.city.ledger.listing import listed
from gateway.relational.database import Database
from tests.identifier.people.conftest import Place
from tests.support.city_db import USCCS, add_enterprise, add_machine
from tests.support.node import NOW_MS
from tests.support.registering import rules

HOUR_MS = 3_600_000
FIRST, SECOND = USCCS[:2]


def machines_of_each_kind(connection: Connection) -> None:
    """Of the first enterprise nine machines, one at each point; of the second one without code."""
    add_enterprise(connection, FIRST, identifier_code="QZ00")
    add_enterprise(connection, SECOND)
    add_machine(connection, SECOND, "B-1")
    issued = [add_machine(connection, FIRST, f"A-{number}") for number in range(6)]
    approve(connection, issued, NOW_MS - 1)
    issue(connection, rules(review_ms=HOUR_MS), NOW_MS, 100)
    for machine, state, times in zip(issued, STATES, TIMES, strict=True):
        box, own = identifier_outbox.c.equipment_id, identifier.c.equipment_id
        entry = {"state": state, "last_error": "不允许" if state == "refused" else ""}
        connection.execute(update(identifier_outbox).where(box == machine).values(entry))
        if times:
            connection.execute(update(identifier).where(own == machine).values(times))
    add_machine(connection, FIRST, "W-1", history=[(date(2020, 1, 1), "withdrawn")])
    add_machine(connection, FIRST, "R-1")
    begin_reviews(connection, NOW_MS, 10)
    approve(connection, [add_machine(connection, FIRST, "I-1")], NOW_MS)


STATES = ("pending", "unknown", "refused", "done", "done", "pending")
CONFIRMED: dict[str, int] = {"registered_ms": NOW_MS}
READ = CONFIRMED | {"resolved_ms": NOW_MS}
TIMES: tuple[dict[str, int], ...] = ({}, {}, {}, CONFIRMED, READ, READ)
OF_FIRST = {
    Standing.PENDING: 1,
    Standing.UNKNOWN: 1,
    Standing.REFUSED: 1,
    Standing.CONFIRMED: 1,
    Standing.READ_BACK: 2,
    Standing.WITHDRAWN: 1,
    Standing.REVIEW: 1,
    Standing.ISSUING: 1,
}


def read(database: Database, uscc: str = "") -> Progress:
    return database.read_now(progress, HOUR_MS, NOW_MS, uscc)


def test_each_machine_is_counted_where_it_stands(database: Database) -> None:
    database.run_now(machines_of_each_kind)
    found = read(database)
    counts = {one.uscc: one.counts for one in found.enterprises}
    assert counts == {FIRST: OF_FIRST, SECOND: {Standing.NO_CODE: 1}}
    assert found.counts == OF_FIRST | {Standing.NO_CODE: 1}
    assert found.refusals == [Refusal("不允许", 1)]
    assert found.changes == 1
    one = read(database, SECOND)
    assert (one.counts, one.refusals, one.changes) == ({Standing.NO_CODE: 1}, [], 0)


def test_the_ledger_shows_what_is_confirmed_only(database: Database) -> None:
    database.run_now(machines_of_each_kind)
    shown = {one["asset_no"]: one["handle"] for one in database.read_now(listed, NOW_MS)}
    query = select(identifier.c.handle).order_by(identifier.c.equipment_id)
    handles: Any = database.read_now(lambda c: c.scalars(query).all())
    assert [shown[f"A-{number}"] for number in range(6)] == ["", "", "", *handles[3:]]


def test_the_command_says_how_far_and_why(place: Place) -> None:
    place.database.run_now(machines_of_each_kind)
    said = place.qulink("status", "--json")
    assert said.exit_code == 1, said.output  # one is refused
    told = json.loads(said.stdout)
    assert told["machines"] == 10
    assert told["counts"]["read_back"] == 2
    assert told["counts"]["issuing"] + told["counts"]["review"] == 2  # as the clock has it
    assert told["refusals"] == [{"reason": "不允许", "machines": 1}]
    plain = place.qulink("status", "--enterprise", FIRST.lower())
    assert "refused, 1 machine: 不允许" in plain.stdout
    assert "9 machines" in plain.stdout
    assert "88.999" not in plain.stdout
