"""What one batch of frames changes in the database, on SQLite and on PostgreSQL."""

import pytest
from sqlalchemy import BigInteger, Connection, Text, insert, select

from gateway.city.db.tables import enterprise, gap, watermark
from gateway.city.ingest.commit import EpochUpdate, Quarantined, StaleError, commit
from gateway.city.ingest.gaps import keep_gaps
from gateway.city.ingest.progress import Progress
from gateway.city.registry import enrolment
from gateway.core.batch import Gap
from gateway.core.status import Reason
from gateway.relational.database import Database
from gateway.relational.given import Types, given, given_as
from tests.support.city import USCC

EPOCH = "a" * 16
GATEWAYS = ("gw-1", "gw-2", "gw-3")


@pytest.fixture
def city(database: Database) -> Database:
    """A database with some gateways."""

    def enrol(connection: Connection) -> None:
        row = {"uscc": USCC, "name": "甲", "county": "330822", "industry": "3451"}
        connection.execute(insert(enterprise).values(**row, above_scale=True))
        for name in GATEWAYS:
            enrolment.add(connection, name, USCC, "1", 0)

    database.run_now(enrol)
    return database


def update(before: int, after: int) -> EpochUpdate:
    """Frames up to ``before`` were finished, now those up to ``after``; a value each."""
    now = Progress(after)
    return EpochUpdate(now, Progress(before), now, committed=after - before, changed=True)


def marks(database: Database) -> dict[str, tuple[int, int]]:
    query = select(watermark.c.gateway, watermark.c.upto, watermark.c.values_committed)
    found = database.run_now(lambda c: c.execute(query).all())
    return {row.gateway: (row.upto, row.values_committed) for row in found}


def test_a_batch_is_committed_whole_or_not_at_all(city: Database) -> None:
    first = {(name, EPOCH): update(0, 2) for name in GATEWAYS}
    city.run_now(commit, first, Quarantined(), 0)
    assert marks(city) == dict.fromkeys(GATEWAYS, (2, 2))
    city.run_now(commit, {("gw-2", EPOCH): update(2, 3)}, Quarantined(), 0)  # another worker
    second = {(name, EPOCH): update(2, 5) for name in GATEWAYS}
    with pytest.raises(StaleError, match="1 of 3 gateways have gone on"):
        city.run_now(commit, second, Quarantined(), 0)
    assert marks(city) == {"gw-1": (2, 2), "gw-2": (3, 3), "gw-3": (2, 2)}
    second["gw-2", EPOCH] = update(3, 5)
    city.run_now(commit, second, Quarantined(), 0)
    assert marks(city) == dict.fromkeys(GATEWAYS, (5, 5))


def test_gaps_of_late_frames_reopen_nothing(city: Database) -> None:
    """The order in which frames come is kept, also where both kinds are in one batch."""

    def hole(from_ms: int, to_ms: int | None) -> Gap:
        return Gap("line-1", "", (), Reason.TIMEOUT, from_ms, to_ms)

    city.run_now(keep_gaps, [("gw-1", hole(1, None)), ("gw-1", hole(1, 5)), ("gw-2", hole(1, 9))])
    told = update(0, 1)
    told.gaps = [(hole(1, None), True), (hole(2, 7), True), (hole(2, None), False)]
    city.run_now(commit, {("gw-1", EPOCH): told}, Quarantined(), 0)
    query = select(gap.c.gateway, gap.c.from_ms, gap.c.to_ms)
    found = city.run_now(lambda c: c.execute(query).all())
    assert {tuple(row) for row in found} == {("gw-1", 1, 5), ("gw-1", 2, None), ("gw-2", 1, 9)}


def test_gaps_of_two_causes_that_begin_at_the_same_time_both_stay(city: Database) -> None:
    def whole(cause: Reason, to_ms: int | None) -> tuple[str, Gap]:
        return "gw-1", Gap("", "", (), cause, 7, to_ms)

    city.run_now(keep_gaps, [whole(Reason.GATEWAY_SILENT, None)])
    lost = Quarantined(gaps=[whole(Reason.QUARANTINE, 8)])
    city.run_now(commit, {}, lost, 0)
    query = select(gap.c.cause, gap.c.to_ms)
    assert city.run_now(lambda c: [tuple(row) for row in c.execute(query)]) == [
        ("gateway_silent", None),
        ("quarantine", 8),
    ]


def test_who_begins_an_epoch_second_is_told_so(city: Database) -> None:
    city.run_now(commit, {("gw-1", EPOCH): update(0, 2)}, Quarantined(), 0)
    both = {(name, EPOCH): update(0, 1) for name in ("gw-1", "gw-2")}
    with pytest.raises(StaleError, match="1 of 2 gateways have gone on"):
        city.run_now(commit, both, Quarantined(), 0)
    assert marks(city) == {"gw-1": (2, 2)}


def test_rows_that_are_given_to_a_statement_come_as_they_are(city: Database) -> None:
    types: Types = {"name": Text, "number": BigInteger}
    rows = [
        {"name": "it's 'a', \"b\" \\ {轴承}", "number": 2**63 - 1},
        {"name": "", "number": -1},
        {"name": None, "number": None},
    ]

    def back(connection: Connection) -> list[tuple[object, ...]]:
        query = select(given(connection, types))
        found = connection.execute(query, given_as(connection, types, rows))
        return [tuple(row) for row in found]

    assert city.run_now(back) == [tuple(row.values()) for row in rows]
