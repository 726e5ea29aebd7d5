"""Engines that hold copies of months."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.city.rates.engines.duck import Duck
from gateway.city.rates.engines.store import Store
from tests.support.city_db import database, postgres
from tests.support.clickhouse import clickhouse_store

__all__ = ["database", "postgres"]


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with clickhouse_store(tmp_path_factory.mktemp("clickhouse")) as store:
        yield store


@pytest.fixture
def duck(tmp_path: Path) -> Iterator[Store]:
    store = Duck(tmp_path / "rates.duckdb")
    yield store
    store.close()
