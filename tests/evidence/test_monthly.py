"""Raw days stand in a table a month, and what comes late stands beside what was there."""

import logging
import pickle
import signal
import subprocess
import sys
import threading
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, inspect, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from gateway.city.db import monthly
from gateway.city.db.schema.daymaps import evidence_taking
from gateway.city.db.schema.months import evidence_month
from gateway.city.db.tables import evidence, watermark
from gateway.city.db.upgrade import CITY, upgrade
from gateway.city.evidence.adoption import merge_evidence
from gateway.city.evidence.rows import KEYS, MASKS, late_days, write_days, write_evidence
from gateway.city.evidence.samples import Sample
from gateway.city.evidence.uncounted import write_gathered
from gateway.city.ingest.commit import EpochUpdate, Quarantined, commit
from gateway.city.ingest.progress import Progress
from gateway.city.ledger.machines import MachineIds
from gateway.city.ledger.names import MachineName
from gateway.city.registry import enrolment
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from gateway.relational.migrating import alembic_config
from tests.support.city_db import USCCS, by_hand, drop_all, raw_day

LAST = date(2026, 1, 31)
NEXT = date(2026, 2, 1)
LATER = date(2026, 3, 9)

FIRST = date(2026, 1, 30)
HOURS = st.sampled_from([0, 1, 6, 1 << 23])

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "machine_id": st.integers(0, 1),
            "day": st.integers(0, 33).map(lambda offset: FIRST + timedelta(days=offset)),
            "source": st.sampled_from(["controller", "sensor"]),
            "synthetic": st.booleans(),
            "gateway": st.just("gw-1"),
            "good_hours": HOURS,
            "uncertain_hours": HOURS,
            "replayed_hours": HOURS,
            "first_ms": st.integers(0, 9),
            "last_ms": st.integers(10, 19),
            "seeded": st.just(value=False),
        }
    ),
    max_size=20,
    unique_by=lambda row: (row["machine_id"], row["day"], row["source"], row["synthetic"]),
)


def held(database: Database) -> list[tuple[Any, ...]]:
    """Day, how late, hours; in order."""
    columns = evidence.c
    query = select(columns.day, columns.late_days, columns.good_hours).order_by(*columns[:5])
    return database.run_now(lambda c: [tuple(one) for one in c.execute(query)])


def test_a_month_gets_its_table_with_its_first_row(database: Database, machines: list[int]) -> None:
    assert database.run_now(monthly.held) == []
    rows = [raw_day(machines[0], LAST), raw_day(machines[0], NEXT), raw_day(machines[1], NEXT)]
    database.run_now(write_evidence, rows, NEXT)
    assert database.run_now(monthly.held) == [202601, 202602]
    with database.engine.connect() as connection:
        counts = {
            month: connection.scalar(text(f"SELECT count(*) FROM evidence_{month}"))
            for month in (202601, 202602)
        }
    assert counts == {202601: 1, 202602: 2}
    assert held(database) == [(LAST, 0, 1), (NEXT, 0, 1), (NEXT, 0, 1)]


@pytest.mark.parametrize(("days", "late"), [(-1, 0), (0, 0), (1, 0), (2, 2), (40, 40)])
def test_in_time_is_until_the_end_of_the_next_day(days: int, late: int) -> None:
    assert late_days(LAST, LAST + timedelta(days=days)) == late


def test_late_data_stand_beside_what_was_there(database: Database, machines: list[int]) -> None:
    own = machines[0]
    database.run_now(write_evidence, [raw_day(own, LAST, 0b011)], LAST)
    database.run_now(write_evidence, [raw_day(own, LAST, 0b110)], NEXT)  # in time: it widens
    assert held(database) == [(LAST, 0, 0b111)]
    late = (LATER - LAST).days
    for _ in range(2):  # delivered again, it adds nothing
        database.run_now(write_evidence, [raw_day(own, LAST, 0b1110)], LATER)
        assert held(database) == [(LAST, 0, 0b111), (LAST, late, 0b1000)]
    more = raw_day(own, LAST, 0b11110, first_ms=day_start_ms(LAST) - 5)
    database.run_now(write_evidence, [more], LATER)  # on the same day: one addition
    assert held(database)[1:] == [(LAST, late, 0b11000)]
    database.run_now(write_evidence, [raw_day(own, LAST, 0b1)], LATER + timedelta(days=1))
    assert len(held(database)) == 2
    months = database.run_now(lambda c: c.execute(select(evidence_month)).all())
    assert [one.good_days for one in months] == [1 << 30]


def test_what_adds_nothing_is_no_touch_of_a_published_month(
    database: Database, machines: list[int]
) -> None:
    taking = {"month": "2026-01", "synthetic": False, "number": 1, "taken_ms": 1, "root": "0" * 64}
    touches = select(evidence_taking.c.touches)
    database.run_now(write_evidence, [raw_day(machines[0], LAST)], LAST)
    database.run_now(lambda c: c.execute(evidence_taking.insert().values(taking)))
    database.run_now(write_evidence, [raw_day(machines[0], LAST)], LATER)
    assert database.run_now(lambda c: c.scalar(touches)) == 0
    database.run_now(write_evidence, [raw_day(machines[0], LAST, 2)], LATER)
    assert database.run_now(lambda c: c.scalar(touches)) == 1


def test_days_far_ahead_make_no_tables(
    database: Database, machines: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    ahead = [raw_day(machines[0], date(2099, month, 1)) for month in range(1, 13)]
    with caplog.at_level(logging.ERROR):
        database.run_now(write_evidence, [*ahead, raw_day(machines[0], NEXT)], LAST)
    assert database.run_now(monthly.held) == [202602]
    assert "clock was left out (rows: 12, from 2099-01-01 to 2099-12-01)" in caplog.text


def test_two_that_are_one_machine_keep_what_came_late(
    database: Database, machines: list[int]
) -> None:
    database.run_now(
        write_evidence, [raw_day(machines[0], LAST, 1), raw_day(machines[1], LAST, 2)], LAST
    )
    database.run_now(write_evidence, [raw_day(machines[0], LAST, 7)], LATER)
    database.run_now(merge_evidence, *machines)
    late = (LATER - LAST).days
    assert held(database) == [(LAST, 0, 0b11), (LAST, late, 0b100)]


def test_workers_that_begin_a_month_at_once_make_one_table(
    database: Database, machines: list[int]
) -> None:
    meet, failed = threading.Barrier(2), list[str]()

    def write(machine: int) -> None:
        meet.wait()
        try:
            rows = [raw_day(machine, LAST), raw_day(machine, NEXT)]
            database.run_now(write_evidence, rows, NEXT)
        except DBAPIError as error:
            failed.append(str(error))

    workers = [threading.Thread(target=write, args=(one,)) for one in machines]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert not failed
    assert database.run_now(monthly.held) == [202601, 202602]
    assert len(held(database)) == 4


def test_a_writer_does_not_wait_for_a_month_that_is_made(
    database: Database, machines: list[int]
) -> None:
    """On PostgreSQL; SQLite has one writer."""
    if database.engine.dialect.name == "sqlite":
        database.run_now(monthly.ensure, [LAST])
    else:
        database.run_now(write_evidence, [raw_day(machines[0], LAST)], LAST)
        with database.engine.begin() as making:
            monthly.ensure(making, [NEXT])
            database.run_now(write_evidence, [raw_day(machines[0], LAST, 4)], LAST)
            assert held(database) == [(LAST, 0, 5)]
    assert 202601 in database.run_now(monthly.held)


def test_a_writer_that_is_killed_leaves_nothing_half(
    database: Database, machines: list[int], tmp_path: Path
) -> None:
    """Neither a row nor a table, nor a mark that says it is counted; the next one writes it all."""
    key, span = ("gw-1", "00000000000000aa"), (day_start_ms(LAST), day_start_ms(NEXT))
    one = Sample(MachineName(USCCS[0], "1", "A-0"), LAST, "controller", False, "gw-1", 1, *span, 1)
    update = EpochUpdate(Progress(0), Progress(0), Progress(1), changed=True)
    update.uncounted = span

    def enrol(connection: Connection) -> None:
        enrolment.add(connection, "gw-1", USCCS[0], "1", 0)
        commit(connection, {key: update}, Quarantined(), 0)

    database.run_now(enrol)
    url = database.engine.url.render_as_string(hide_password=False)
    (tmp_path / "gathered").write_bytes(pickle.dumps(([one], {key: span}, span[1])))
    command = [sys.executable, "-c", _KILLED, url, "gathered"]
    killed = subprocess.run(command, cwd=tmp_path, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert (held(database), database.run_now(monthly.held)) == ([], [])
    marks = select(watermark.c.uncounted_from_ms, watermark.c.uncounted_to_ms)
    assert database.run_now(lambda c: tuple(c.execute(marks).one())) == span
    for _ in range(2):  # and what is delivered again is there once
        database.run_now(write_gathered, [one], {key: span}, MachineIds(), span[1])
        assert held(database) == [(LAST, 0, 1)]
    assert database.run_now(lambda c: tuple(c.execute(marks).one())) == (None, None)


_KILLED = """
import os, pickle, signal, sys
from pathlib import Path
from gateway.city.evidence.uncounted import write_gathered
from gateway.city.ledger.machines import MachineIds
from gateway.relational.database import connect
samples, counted, now_ms = pickle.loads(Path(sys.argv[2]).read_bytes())
with connect(sys.argv[1], Path()).engine.begin() as connection:
    write_gathered(connection, samples, counted, MachineIds(), now_ms)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_month_is_dropped_whole(database: Database, machines: list[int]) -> None:
    database.run_now(write_evidence, [raw_day(machines[0], LAST), raw_day(machines[0], NEXT)], NEXT)
    database.run_now(monthly.drop, 202601)
    assert held(database) == [(NEXT, 0, 1)]
    database.run_now(monthly.drop, 202602)
    assert held(database) == []


def by_days(connection: Connection) -> dict[tuple[Any, ...], list[int]]:
    """The months as the rows of the days make them, in plain Python."""
    found: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in connection.execute(select(evidence)):
        key = (int(f"{row.day:%Y%m}"), row.machine_id, row.source, row.synthetic)
        for at, has in enumerate((row.good_hours, row.uncertain_hours, 1)):
            found[key][at] |= (has != 0) << (row.day.day - 1)
    return dict(found)


def by_months(connection: Connection) -> dict[tuple[Any, ...], list[int]]:
    rows = connection.execute(select(evidence_month)).all()
    return {tuple(row[:4]): list(row[4:]) for row in rows}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(ROWS, min_size=1, max_size=4), merged=st.booleans())
def test_months_are_what_the_days_are(
    database: Database,
    machines: list[int],
    batches: list[list[dict[str, Any]]],
    merged: bool,
) -> None:
    def write(connection: Connection) -> None:
        by_hand(connection, delete(evidence))
        connection.execute(delete(evidence_month))
        for batch in batches:
            write_days(connection, [r | {"machine_id": machines[r["machine_id"]]} for r in batch])
        if merged:  # the ledger learned that both are one machine
            merge_evidence(connection, *machines)
        assert by_months(connection) == by_days(connection)

    database.run_now(write)


DAY = "INSERT INTO evidence VALUES ({}, '{}', '{}', '{:d}', 'gw-1', {}, {}, {}, {}, {}, '0')"
DAYS = [  # machine, day, source, synthetic, good, uncertain and replayed hours, first, last
    (1, date(2026, 1, 1), "controller", False, 1, 0, 0, 0, 1),
    (1, LAST, "controller", False, 0, 4, 0, 5, 6), (1, LAST, "sensor", False, 1, 1, 0, 0, 1),
    (1, NEXT, "controller", True, 0, 0, 8, 8, 9), (2, NEXT, "sensor", False, 2, 0, 0, 1, 3),
    (2, date(2024, 2, 29), "controller", False, 3, 0, 0, 2, 4),
]  # fmt: skip


def test_an_older_city_is_carried_over(database: Database) -> None:
    """Into the tables that a new one makes, to the letter, with the days that it had.

    They get their months, and are closed as new ones are.
    """

    def names(connection: Connection) -> list[tuple[str, ...]]:
        query = "SELECT name, sql FROM sqlite_master WHERE name GLOB 'evidence*' ORDER BY 1"
        if connection.dialect.name == "sqlite":
            return [tuple(one) for one in connection.execute(text(query))]
        return [(one,) for one in sorted(inspect(connection).get_table_names())]

    months = [date(2024, 2, 1), LAST, NEXT]
    database.run_now(monthly.ensure, months)
    new = database.run_now(names)
    with database.engine.begin() as connection:
        drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
        command.upgrade(alembic_config(connection, CITY), "city24")
        connection.execute(text("INSERT INTO machine (id, named_ms) VALUES (1, 0), (2, 0)"))
        for one in DAYS:
            connection.execute(text(DAY.format(*one)))
    upgrade(database)
    assert [(name, _plain(*rest)) for name, *rest in database.run_now(names)] == [
        (name, _plain(*rest)) for name, *rest in new
    ]
    columns = (evidence.c[name] for name in (*KEYS, *MASKS, "first_ms", "last_ms"))
    query = select(*columns).where(evidence.c.late_days == 0)
    found = database.run_now(lambda c: [tuple(one) for one in c.execute(query)])
    assert sorted(found) == sorted(DAYS)
    assert database.run_now(monthly.held) == [202402, 202601, 202602]
    assert database.run_now(by_months) == database.run_now(by_days)
    assert database.run_now(by_months)[202601, 1, "controller", False] == [1, 1 << 30, 1 | 1 << 30]
    with pytest.raises(IntegrityError, match="append-only"):
        database.run_now(lambda c: c.execute(delete(monthly.written(c, 202402))))
    database.run_now(write_evidence, [raw_day(1, date(2024, 2, 29), 1)], LATER)
    assert len(held(database)) == len(DAYS) + 1


def _plain(sql: str = "") -> str:
    """A statement without how it was broken into lines."""
    return " ".join(sql.replace('"', "").split())
