"""Each database test runs on SQLite and on a real PostgreSQL."""

from collections.abc import Iterator

import pytest

from tests.support.city_db import database, postgres
from tests.support.influxd import Influxd

__all__ = ["database", "postgres"]


@pytest.fixture(scope="package")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    with Influxd(tmp_path_factory.mktemp("influx")) as server:
        yield server
