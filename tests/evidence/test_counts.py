"""What edges count of each machine: kept like the books, and evidence of what they held back."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from edge_config.models.data.keeping import RetentionConfig
from gateway.city.db import housekeeping
from gateway.city.db.operation import begin
from gateway.city.db.tables import evidence, machine_books
from gateway.city.evidence.counts import DayCounts, MachineReport, counts_of, keep_counts
from gateway.city.evidence.samples import Origin, counted
from gateway.city.ledger.machines import MachineIds, find
from gateway.city.ledger.names import MachineName
from gateway.city.ledger.renaming import rename_machine
from gateway.city.registry import enrolment
from gateway.core.days import day_of, day_start_ms
from gateway.relational.database import Database
from gateway.wire.records import MachineRecord
from tests.support.broker import Mosquitto
from tests.support.city import Clock, city_on, proofs_of, rows_of, schema_of, sender
from tests.support.city_db import USCCS, add_enterprise, add_machine

DAY = date(2026, 5, 4)
NOON = day_start_ms(DAY) + 12 * 3_600_000
HOUR_MS = 3_600_000
USCC = USCCS[0]
EPOCH = "a" * 16
CONTROLLER = Origin("gw-1", "controller", False)


@pytest.fixture
def city(database: Database) -> Database:
    """An enterprise with a machine and two gateways."""

    def fill(connection: Connection) -> None:
        begin(connection, date(2026, 5, 1))
        add_enterprise(connection, USCC)
        add_machine(connection, USCC, "B-1")
        for name in ("gw-1", "gw-2"):
            enrolment.add(connection, name, USCC, "1", 0)

    database.run_now(fill)
    return database


def report(
    seq: int, valid: int, expected: int, *, asset: str = "B-1", day: date = DAY, **more: str
) -> MachineReport:
    counts = MachineRecord("line-1", "1", asset, day, valid, expected, NOON, NOON + 1)
    machine = MachineName(USCC, "1", asset)
    return MachineReport(
        more.get("gateway", "gw-1"), more.get("epoch", EPOCH), seq, machine, counts
    )


def kept(database: Database, *reports: MachineReport) -> None:
    database.run_now(keep_counts, list(reports), MachineIds(), NOON)


def counts(database: Database, asset: str = "B-1") -> dict[date, DayCounts]:
    name = MachineName(USCC, "1", asset)
    machine = database.run_now(find, [name], DAY)[name]
    return database.run_now(counts_of, machine, [DAY, DAY - timedelta(days=9)])


def test_the_newest_frame_holds(city: Database) -> None:
    kept(city, report(3, 30, 40))
    kept(city, report(2, 20, 30))  # came late
    assert counts(city) == {DAY: (30, 40)}
    kept(city, report(5, 10, 60), report(4, 50, 50))  # counters that fall are no sign of age
    kept(city, report(5, 10, 60))
    assert counts(city) == {DAY: (10, 60)}


def test_gateways_and_epochs_of_a_machine_add_up(city: Database) -> None:
    kept(city, report(1, 1, 2), report(1, 10, 20, gateway="gw-2"), report(1, 5, 5, epoch="b" * 16))
    kept(city, report(1, 7, 9, asset="B-2"))
    assert counts(city) == {DAY: (16, 27)}


def test_days_before_the_city_began_are_left_out(city: Database) -> None:
    kept(city, report(1, 1, 2, day=DAY - timedelta(days=9)))
    assert city.run_now(lambda c: c.execute(select(machine_books)).all()) == []


def test_a_renamed_machine_keeps_its_counts(city: Database) -> None:
    kept(city, report(1, 1, 2), report(1, 8, 9, asset="B-9"))
    kept(city, report(1, 4, 4, asset="B-9", gateway="gw-2"))
    old, new = MachineName(USCC, "1", "B-1"), MachineName(USCC, "1", "B-9")
    city.run_now(rename_machine, old, new, NOON)
    assert counts(city, "B-9") == counts(city) == {DAY: (5, 6)}


@pytest.mark.parametrize(
    ("first_ms", "last_ms", "hours"),
    [
        (NOON, NOON + 2 * HOUR_MS, 1 << 12 | 1 << 14),
        (NOON, NOON, 1 << 12),
        (None, None, None),
        (NOON, NOON + 12 * HOUR_MS, None),  # another day
        (NOON - 24 * HOUR_MS, NOON, None),
        (NOON + HOUR_MS, NOON, None),
        (NOON, NOON + 3 * HOUR_MS, 0),  # later than now and a minute: in doubt
    ],
)
def test_hours_in_which_something_was_held_back(
    first_ms: int | None, last_ms: int | None, hours: int | None
) -> None:
    found = counted(
        MachineName(USCC, "1", "B-1"), DAY, (first_ms, last_ms), CONTROLLER, NOON + 2 * HOUR_MS
    )
    assert (found and found.good_hours) == hours
    assert found is None or (found.count, found.uncertain_hours, found.source) == (
        0,
        0,
        "controller",
    )


async def test_a_machine_that_says_nothing_new_is_networked(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """All it read was held back; of one whose schema the city never saw the source is unknown."""
    clock = Clock()
    at, schema = clock(), schema_of("speed")
    told = [
        MachineRecord(device, "1", "B-001", clock_day, 3_600, 3_700, at - 1, at)
        for device, clock_day in (("line-1", day_of(at)), ("line-9", day_of(at)))
    ]
    async with city_on(mosquitto.url, tmp_path, "gw-1", clock=clock) as city:
        async with sender(mosquitto.port, "gw-1") as gateway:
            await gateway.send(1, schema, *told)
            await gateway.acked(1)
        held = [(row["device"], row["valid"], row["seq"]) for row in rows_of(city, machine_books)]
        assert sorted(held) == [("line-1", 3_600, 1), ("line-9", 3_600, 1)]
        (proof,) = await proofs_of(city)
        assert (proof["source"], proof["first_ms"], proof["last_ms"]) == ("controller", at - 1, at)
        clock.ahead_ms = 12 * 24 * HOUR_MS
        await housekeeping.tidy(
            city.database, city.store, RetentionConfig(telemetry_days=10), clock()
        )
        assert rows_of(city, machine_books) == []
        assert len(rows_of(city, evidence)) == 1  # evidence stays
