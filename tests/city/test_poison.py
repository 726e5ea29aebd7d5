"""What the database will never take stops nothing: it is found, and goes to quarantine."""

from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, text
from sqlalchemy.exc import IntegrityError

from gateway.city.db.tables import edge_books, enterprise, gap, quarantine, watermark
from gateway.city.ingest.gaps import end_gaps_of_revoked, keep_gaps
from gateway.city.ingest.limits import BATCH_FRAMES
from gateway.city.ingest.persistence import Isolation
from gateway.city.ingest.uplink.inbox import Incoming
from gateway.city.registry import enrolment
from gateway.core.batch import Gap
from gateway.core.books import Counts
from gateway.core.days import day_of
from gateway.core.status import Reason
from gateway.relational.database import Database, is_permanent
from gateway.wire.records import BooksRecord
from tests.support.broker import Mosquitto
from tests.support.city import USCC, batch_of, city_on, proofs_of, rows_of, schema_of, sender
from tests.support.city_db import add_enterprise

AT = 1_790_000_000_000
_TRIGGERS = {
    "edge_books": """CREATE TRIGGER poison BEFORE INSERT ON edge_books WHEN NEW.device = 'line-9'
        BEGIN SELECT RAISE(ABORT, 'never'); END""",
    "machine_alias": """CREATE TRIGGER poison BEFORE INSERT ON machine_alias
        WHEN NEW.asset_no = 'B-009' BEGIN SELECT RAISE(ABORT, 'never'); END""",
    "evidence_month": """CREATE TRIGGER poison BEFORE INSERT ON evidence_month BEGIN SELECT RAISE(
        ABORT, 'raw days of evidence are append-only: a day that is over is not changed'); END""",
}


def poison(connection: Connection, table: str) -> None:
    """One row that this database refuses, as PostgreSQL refuses a text with a NUL."""
    connection.execute(text(_TRIGGERS[table]))


async def test_one_poisoned_frame_stops_nobody(mosquitto: Mosquitto, tmp_path: Path) -> None:
    schema = schema_of("speed")
    async with city_on(mosquitto.url, tmp_path, "gw-1", "gw-2") as city:
        city.database.run_now(poison, "edge_books")
        async with sender(mosquitto.port, "gw-1") as bad, sender(mosquitto.port, "gw-2") as good:
            for number in range(1, 8):
                device = "line-9" if number == 4 else "line-1"
                books = BooksRecord.of(device, day_of(AT), Counts())
                values = batch_of(schema, AT + number, float(number))
                await bad.send(number, schema, values, books)
                await good.send(number, schema, values)
            await bad.acked(7)
            await good.acked(7)
            (kept,) = rows_of(city, quarantine)
        assert (kept["gateway"], kept["value_count"]) == ("gw-1", 1)
        assert kept["reason"] == "the database will never take it: never"
        marks = {row["gateway"]: row for row in rows_of(city, watermark)}
        assert (marks["gw-1"]["values_committed"], marks["gw-2"]["values_committed"]) == (6, 7)
        assert marks["gw-1"]["values_quarantined"] == 1
        assert [row["device"] for row in rows_of(city, edge_books)] == ["line-1"]
        assert [row["cause"] for row in rows_of(city, gap)] == ["quarantine"]


async def test_evidence_of_one_machine_that_cannot_be_written_keeps_none_of_the_others(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    schema = schema_of("speed", assets=("B-001", "B-009", "B-002"))
    async with city_on(mosquitto.url, tmp_path, "gw-1") as city:
        city.database.run_now(poison, "machine_alias")
        async with sender(mosquitto.port, "gw-1") as gateway:
            await gateway.send(1, schema, batch_of(schema, AT, 1.0, 2.0, 3.0))
            await gateway.acked(1)
        await city.ingest.evidence.flush()
        assert len(await proofs_of(city)) == 2
        assert rows_of(city, watermark)[0]["uncounted_from_ms"] is None


async def test_a_raw_day_that_is_refused_is_kept_and_tried_again(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """That is a defect of who writes: to leave the row out would lose it without a word."""
    schema = schema_of("speed", assets=("B-001",))
    async with city_on(mosquitto.url, tmp_path, "gw-1") as city:
        city.database.run_now(poison, "evidence_month")
        async with sender(mosquitto.port, "gw-1") as gateway:
            await gateway.send(1, schema, batch_of(schema, AT, 1.0))
            await gateway.acked(1)
        with pytest.raises(IntegrityError, match="append-only"):
            await city.ingest.evidence.flush()
        assert rows_of(city, watermark)[0]["uncounted_from_ms"] == AT
        city.database.run_now(lambda c: c.execute(text("DROP TRIGGER poison")))
        await city.ingest.evidence.flush()
        assert len(await proofs_of(city)) == 1


def test_batches_are_halved_until_the_message_stands_alone() -> None:
    messages = [Incoming("a", bytes([number]), 0) for number in range(5)]
    isolation = Isolation()
    isolation.refused(messages, ValueError("no"))
    assert isolation.most == 2
    isolation.refused(messages[:2], ValueError("no"))
    assert isolation.most == 1
    isolation.refused(messages[:1], ValueError("no"))
    assert isolation.why(messages[0]) is None  # tried once more: two workers may have met
    isolation.refused(messages[:1], ValueError("no"))
    assert isolation.why(messages[0]) == "the database will never take it: no"
    assert isolation.why(messages[1]) is None
    for _ in range(12):
        isolation.written(messages)
    assert (isolation.most, isolation.why(messages[0])) == (BATCH_FRAMES, None)


def test_what_a_database_says_of_a_row_is_told_from_what_it_says_of_itself(
    database: Database,
) -> None:
    def caught(text_: str) -> BaseException:
        row = {"uscc": USCC, "name": text_, "county": "330822", "industry": "3451"}
        with pytest.raises(Exception) as error:
            database.run_now(lambda c: c.execute(insert(enterprise), [row | {"above_scale": None}]))
        return error.value

    assert is_permanent(caught("a row without what it must have"))
    assert is_permanent(caught("\ud800"))
    with pytest.raises(Exception) as gone:
        database.run_now(lambda c: c.execute(text("SELECT * FROM nowhere")))
    assert not is_permanent(gone.value)


def test_a_gap_that_is_written_after_its_gateway_was_revoked_is_ended(database: Database) -> None:
    """The revocation ends what is open; what was still on its way then would stay for ever."""

    def enrolled(connection: Connection) -> None:
        add_enterprise(connection, USCC)
        for name in ("gw-1", "gw-2"):
            enrolment.add(connection, name, USCC, "1", AT)

    def write(connection: Connection) -> None:
        gaps = [
            (name, Gap("", "", (), Reason.GATEWAY_SILENT, from_ms))
            for name in ("gw-1", "gw-2")
            for from_ms in (AT + 5, AT + 99)
        ]
        keep_gaps(connection, gaps)
        end_gaps_of_revoked(connection, ["gw-1", "gw-2"])

    database.run_now(enrolled)
    database.run_now(enrolment.revoke, "gw-1", AT + 10)
    database.run_now(write)
    query = text("SELECT gateway, from_ms, to_ms FROM gap ORDER BY gateway, from_ms")
    assert database.run_now(lambda c: [tuple(row) for row in c.execute(query)]) == [
        ("gw-1", AT + 5, AT + 10),
        ("gw-1", AT + 99, AT + 99),
        ("gw-2", AT + 5, None),
        ("gw-2", AT + 99, None),
    ]
