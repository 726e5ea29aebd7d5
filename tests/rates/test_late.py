"""A final month stays as it is, and says what came since; what it rests on can be verified."""

import zlib
from datetime import date

import pytest
from sqlalchemy import delete, select, update

from gateway.city.db.operation import begin
from gateway.city.db.schema.daymaps import day_map, evidence_taking
from gateway.city.db.schema.months import evidence_month
from gateway.city.db.tables import equipment_rows
from gateway.city.evidence.rows import write_days
from gateway.city.rates.daymaps.verifying import verify
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.frozen.freezing import freeze_month
from gateway.city.rates.frozen.late import Late, late_for, noted, touched_months
from gateway.city.rates.frozen.results import Correction, final_table
from gateway.city.rates.frozen.schedule import freeze_due, note_late
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from tests.support.city_db import USCCS, add_days, add_enterprise, add_machine, days_between

DEFINITIONS = {one: builtin_definitions()[one] for one in ("ENR-A", "ENR-B", "COV")}
OCTOBER = days_between(date(2026, 10, 1), date(2026, 10, 31))
NOVEMBER_21, NOVEMBER_22 = (day_start_ms(date(2026, 11, day)) for day in (21, 22))


@pytest.fixture
async def machines(database: Database) -> list[int]:
    """Three machines, of which two were connected all October; October is final."""
    with database.engine.begin() as connection:
        begin(connection, date(2026, 10, 1))
        add_enterprise(connection, USCCS[0])
        made = [add_machine(connection, USCCS[0], f"A{at}") for at in range(3)]
        for one in made[:2]:
            add_days(connection, one, OCTOBER)
    await freeze_due(database, NOVEMBER_21, definitions=DEFINITIONS, demonstration=False)
    return made


def sent(database: Database, machine: int, days: list[date]) -> None:
    """Data of days, written as ingest writes them."""
    rows: list[dict[str, object]] = [
        {
            "machine_id": machine,
            "day": day,
            "source": "controller",
            "synthetic": False,
            "gateway": "gw-1",
            "good_hours": 1,
            "uncertain_hours": 0,
            "replayed_hours": 0,
            "first_ms": day_start_ms(day),
            "last_ms": day_start_ms(day),
            "seeded": False,
        }
        for day in days
    ]
    database.run_now(write_days, rows)


async def compare(database: Database, at_ms: int = NOVEMBER_22) -> list[tuple[object, ...]]:
    """What is noted once the city has looked."""
    await note_late(database, at_ms, definitions=DEFINITIONS, demonstration=False)
    rows = database.read_now(noted, demonstration=False)
    return [(row.definition, row.vintage, row.machines, row.days, row.lost_days) for row in rows]


def late(database: Database, definition: str = "ENR-A") -> Late | None:
    return database.read_now(
        late_for, DEFINITIONS[definition], "2026-10", NOVEMBER_22, demonstration=False
    )


async def test_data_for_a_final_month_is_told_until_the_month_is_published_anew(
    database: Database, machines: list[int]
) -> None:
    assert late(database) is None
    assert await compare(database) == []
    sent(database, machines[2], OCTOBER)
    assert late(database) == Late("ENR-A", 1, machines=1, days=31, lost_days=0)
    assert await compare(database) == [("ENR-A", 1, 1, 31, 0), ("ENR-B", 1, 1, 31, 0)]
    assert networked(database) == 2  # the figure does not change by itself
    made = Correction("late_data", "网关断网后补传", "李四")
    freeze_month(database, "ENR-A", "2026-10", NOVEMBER_22, demonstration=False, correction=made)
    assert networked(database) == 3
    assert late(database) is None
    # The other definition's result is what it was.
    assert await compare(database) == [("ENR-B", 1, 1, 31, 0)]
    assert late(database, "ENR-B") == Late("ENR-B", 1, machines=1, days=31, lost_days=0)
    assert list(database.read_now(lambda connection: list(verify(connection)))) == []


def networked(database: Database) -> int:
    table = database.read_now(final_table, "ENR-A", "2026-10", ["city"], False)
    assert table is not None
    assert table.root is not None
    return table.cells["city"]["city"].networked


async def test_what_is_delivered_again_is_not_late(database: Database, machines: list[int]) -> None:
    sent(database, machines[0], OCTOBER)
    assert database.read_now(touched_months, demonstration=False) == [("2026-10", 1)]
    assert await compare(database) == []
    assert database.read_now(touched_months, demonstration=False) == []


async def test_data_of_the_running_month_touch_no_figure(
    database: Database, machines: list[int]
) -> None:
    sent(database, machines[0], [date(2026, 11, 20)])
    assert database.read_now(touched_months, demonstration=False) == []


async def test_days_that_are_gone_are_told(database: Database, machines: list[int]) -> None:
    with database.engine.begin() as connection:
        months, three_days = evidence_month.c, 0b111
        own = update(evidence_month).where(months.machine_id == machines[0])
        without = {"good_days": months.good_days - three_days, "days": months.days - three_days}
        connection.execute(own.values(**without))
    assert late(database) == Late("ENR-A", 1, machines=1, days=0, lost_days=3)


async def test_a_machine_that_another_enterprise_has_now_lost_no_day(
    database: Database, machines: list[int]
) -> None:
    with database.engine.begin() as connection:
        add_enterprise(connection, USCCS[1])
        columns = equipment_rows.c
        moved = update(equipment_rows).where(columns.id == machines[0])
        connection.execute(moved.values(uscc=USCCS[1]))
    assert late(database) is None


async def test_a_second_taking_has_only_what_changed(
    database: Database, machines: list[int]
) -> None:
    with database.engine.begin() as connection:
        add_enterprise(connection, USCCS[1])
        other = add_machine(connection, USCCS[1], "B0")
    sent(database, other, OCTOBER[:5])
    made = Correction("late_data", "补传", "李四")
    freeze_month(database, "ENR-A", "2026-10", NOVEMBER_22, demonstration=False, correction=made)
    query = select(day_map.c.uscc, day_map.c.taking).order_by(day_map.c.id)
    rows = database.read_now(lambda connection: connection.execute(query).all())
    assert [tuple(row) for row in rows] == [(USCCS[0], 1), (USCCS[1], 2)]


def broken(database: Database) -> set[str]:
    return {one.what for one in database.read_now(lambda connection: list(verify(connection)))}


async def test_a_map_that_was_changed_is_found(database: Database, machines: list[int]) -> None:
    assert broken(database) == set()
    with database.engine.begin() as connection:
        body = zlib.decompress(connection.execute(select(day_map.c.body)).scalar_one())
        more = body[:8] + b"\x01" + body[9:]
        connection.execute(update(day_map).values(body=zlib.compress(more)))
    assert broken(database) == {"was changed since it was stored"}
    with database.engine.begin() as connection:
        connection.execute(delete(day_map))
    assert broken(database) == {"the root is not that of the month's maps"}


async def test_a_root_that_was_changed_is_found(database: Database, machines: list[int]) -> None:
    with database.engine.begin() as connection:
        connection.execute(update(evidence_taking).values(root="0" * 64))
    assert broken(database) == {"the root is not that of the month's maps"}
