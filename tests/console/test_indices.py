"""What pages ask of a large database is answered from its indices."""

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert

from gateway.city.access.principal import EVERYTHING
from gateway.city.console.app import build
from gateway.city.console.queries.database import gateways
from gateway.city.console.queries.gaps import GapFilter, gap_causes, gap_count, gaps
from gateway.city.db import tables
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.inquiry import Inquiry
from gateway.city.rates.period import period_of
from gateway.city.rates.tallies import is_known
from gateway.relational.database import Database, connect
from tests.console.conftest import served
from tests.console.http import get
from tests.console.town import NOW_MS, town, uscc_of

GATEWAYS, GAPS = 10_000, 100_000
CAUSES = ("timeout", "disconnected", "late", "gateway_silent")
PAGE = 50


def _enrol(connection: Connection) -> None:
    rows = [
        {"id": f"zz-{at:05d}", "uscc": uscc_of(0), "site_no": "1", "enrolled_ms": 1, "partition": 0}
        for at in range(GATEWAYS)
    ]
    connection.execute(insert(tables.gateway), rows)


def _fill(connection: Connection) -> None:
    place = {"name": "厂", "county": "330822", "industry": "3451", "above_scale": True}
    connection.execute(
        insert(tables.enterprise).values(uscc=uscc_of(0), identifier_code="00000001", **place)
    )
    _enrol(connection)
    rows = [
        {
            "gateway": f"zz-{at % GATEWAYS:05d}", "device": "d", "tag_group": "", "tags": "[]",
            "tags_key": "-", "cause": CAUSES[at % len(CAUSES)], "from_ms": 1_000 + at,
            "to_ms": None if at % 500 == 0 else 9_000_000,
        }
        for at in range(GAPS)
    ]  # fmt: skip
    connection.execute(insert(tables.gap), rows)


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    """10,000 gateways and 100,000 gaps."""
    with tempfile.TemporaryDirectory() as name:
        made = connect("sqlite:///city.db", Path(name))
        made.run_now(tables.metadata.create_all)
        made.run_now(_fill)
        yield made
        made.close()


def plans_of(connection: Connection, ask: Callable[[Connection], object]) -> list[str]:
    """How SQLite carries out what a function asks: a line for each step."""
    asked: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        asked.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    try:
        ask(connection)
    finally:
        event.remove(connection, "before_cursor_execute", note)
    assert asked
    return [
        row[-1]
        for statement, parameters in asked
        for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
    ]


@pytest.mark.parametrize(
    "wanted",
    [
        GapFilter(EVERYTHING),
        GapFilter(EVERYTHING, gateway="zz-00007"),
        GapFilter(EVERYTHING, cause="late"),
        GapFilter(EVERYTHING, only_open=True),
        GapFilter(EVERYTHING, cause="late", only_open=True),
    ],
)
@pytest.mark.parametrize("offset", [0, PAGE])
def test_a_page_of_gaps_comes_from_an_index(
    database: Database, wanted: GapFilter, offset: int
) -> None:
    def ask(connection: Connection) -> None:
        gaps(connection, wanted, PAGE, offset)
        if wanted != GapFilter(EVERYTHING):  # of all gaps any 10,000 are counted, in no order
            gap_count(connection, wanted)

    steps = database.run_now(plans_of, ask)
    on_gaps = [step for step in steps if step.split()[:2] in (["SCAN", "gap"], ["SEARCH", "gap"])]
    assert on_gaps
    assert all("USING" in step and "INDEX ix_gap" in step for step in on_gaps), steps
    assert not any(step.startswith("USE TEMP B-TREE FOR ORDER BY") for step in steps), steps


def test_causes_are_looked_up_and_not_collected(database: Database) -> None:
    steps = database.run_now(plans_of, partial(gap_causes, scope=EVERYTHING))
    assert sum("ix_gap_cause_from_ms" in step for step in steps) > len(CAUSES)
    assert not any(step == "SCAN gap" for step in steps)


def test_gateways_come_in_order_without_sorting(database: Database) -> None:
    steps = database.run_now(plans_of, partial(gateways, scope=EVERYTHING))
    assert any(step.startswith("SCAN gateway USING INDEX") for step in steps), steps
    assert any(step.startswith("SEARCH enterprise USING INDEX") for step in steps), steps
    assert not any("TEMP B-TREE" in step for step in steps), steps


def test_evidence_of_a_month_is_looked_up_by_month(database: Database) -> None:
    definition, period = builtin_definitions()["ENR-A"], period_of("2025-11", NOW_MS, None)

    def ask(connection: Connection) -> None:
        for demonstration in (True, False):
            is_known(connection, Inquiry(definition, period, NOW_MS, demonstration))

    steps = database.run_now(plans_of, ask)
    assert sum("PRIMARY KEY (month=" in step for step in steps) == 2, steps


async def test_the_pages_of_ten_thousand_gateways_answer(tmp_path: Path) -> None:
    async with town(tmp_path) as made:
        made.database.run_now(_enrol)
        async with served(build(made.context)) as base:
            overview = (await get(f"{base}/?lang=en")).text
            quality = (await get(f"{base}/quality?lang=en")).text
    assert f"4 of {GATEWAYS + 6} gateways online" in overview
    assert overview.count('data-k="gw-') < PAGE
    assert len(quality) < 1_000_000
