"""Months are frozen by the engine that the configuration names, or not at all."""

from collections.abc import Iterator
from datetime import date
from itertools import count
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from edge_config.loading.load import load_city
from gateway.city.db.schema.rates import rate_result
from gateway.city.rates.cells.dimensions import CITY, DIMENSIONS
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.engines.engine import EngineError
from gateway.city.rates.engines.opening import engine_of
from gateway.city.rates.frozen.results import final_table
from gateway.city.rates.frozen.schedule import freeze_due
from gateway.cli.main import build
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from tests.rates.test_oracle import random_town, write
from tests.support.city import city_file
from tests.support.city_db import postgres_city, sqlite_city
from tests.support.peers import free_port
from tests.support.postgres import Postgres

NOVEMBER_21 = day_start_ms(date(2026, 11, 21))
_numbers = count(1)
HOW = {"definitions": builtin_definitions(), "demonstration": False}


@pytest.fixture
def cities(tmp_path: Path, postgres: Postgres) -> Iterator[list[Database]]:
    """The same city on SQLite and on PostgreSQL."""
    made = [sqlite_city(tmp_path / "one"), postgres_city(postgres.url, f"engines{next(_numbers)}")]
    for city in made:
        random = Random(1_002)
        city.run_now(write, random_town(random), random)
    yield made
    for city in made:
        city.close()


def stored(city: Database, definition: str) -> object:
    found = city.read_now(final_table, definition, "2026-10", (CITY, *DIMENSIONS), False)
    return found and found.cells


async def test_months_are_frozen_as_by_the_city(cities: list[Database], tmp_path: Path) -> None:
    file = city_file(tmp_path, "127.0.0.1:1", rates={"engine": {"type": "duckdb"}})
    engine = engine_of(load_city(file))
    counts = [
        await freeze_due(cities[0], NOVEMBER_21, **HOW),
        await freeze_due(cities[1], NOVEMBER_21, engine=engine, **HOW),
    ]
    assert counts[0] == counts[1] > 5
    assert (tmp_path / "rates.duckdb").exists()
    for one in builtin_definitions():
        assert stored(cities[0], one) == stored(cities[1], one)


async def test_while_the_engine_is_away_nothing_is_frozen_by_another(
    cities: list[Database], tmp_path: Path
) -> None:
    away = {"type": "clickhouse", "url": f"http://127.0.0.1:{free_port()}"}
    folder = tmp_path / "one"
    file = city_file(folder, "127.0.0.1:1", rates={"engine": away})
    with pytest.raises(EngineError, match=r"start it, or correct rates\.engine\.url"):
        await freeze_due(cities[0], NOVEMBER_21, engine=engine_of(load_city(file)), **HOW)
    words = ["2026-10", "--reason", "late_data", "--note", "x", "--by", "y"]
    told = CliRunner().invoke(build([]), ["rates", "correct", *words, "-c", str(file)])
    assert told.exit_code == 1
    assert "start it, or correct rates.engine.url" in told.output
    assert (
        cities[0].read_now(lambda one: one.scalar(select(func.count()).select_from(rate_result)))
        == 0
    )
