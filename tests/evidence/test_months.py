"""Months of evidence say what its days say, in whatever order these came."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from alembic import command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, select, text

from gateway.city.db.schema.months import evidence_month
from gateway.city.db.tables import evidence
from gateway.city.db.upgrade import CITY, upgrade
from gateway.city.evidence.adoption import merge_evidence
from gateway.city.evidence.rows import write_days
from gateway.relational.database import Database
from gateway.relational.migrating import alembic_config
from tests.support.city_db import USCCS, add_enterprise, add_machine, by_hand, drop_all

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


@pytest.fixture
def machines(database: Database) -> Iterator[list[int]]:
    def fill(connection: Connection) -> list[int]:
        add_enterprise(connection, USCCS[0])
        return [add_machine(connection, USCCS[0], f"A-{at}") for at in range(2)]

    yield database.run_now(fill)


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


def test_an_older_city_gets_the_months_of_the_days_that_it_has(database: Database) -> None:
    day = "INSERT INTO evidence VALUES (1, '{}', '{}', '{}', 'gw-1', {}, {}, {}, 0, 1, '0')"
    days = (
        ("2026-01-01", "controller", 0, 1, 0, 0), ("2026-01-31", "controller", 0, 0, 4, 0),
        ("2026-01-31", "sensor", 0, 1, 1, 0), ("2026-02-01", "controller", 1, 0, 0, 8),
    )  # fmt: skip
    with database.engine.begin() as connection:
        drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
        command.upgrade(alembic_config(connection, CITY), "city24")
        connection.execute(text("INSERT INTO machine (id, named_ms) VALUES (1, 0)"))
        for one in days:
            connection.execute(text(day.format(*one)))
    upgrade(database)
    with database.engine.connect() as connection:
        assert by_months(connection) == by_days(connection)
        assert by_months(connection)[202601, 1, "controller", False] == [1, 1 << 30, 1 | 1 << 30]
