"""Each database test runs on SQLite and on a real PostgreSQL."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from gateway.relational.database import Database
from tests.support.city_db import USCCS, add_enterprise, add_machine, database, postgres
from tests.support.influx2_contract import ContractServer
from tests.support.influxd import Influxd


@pytest.fixture
def contract() -> Iterator[ContractServer]:
    """A server that keeps what InfluxDB 2 promises of its API."""
    with ContractServer() as server:
        yield server


__all__ = ["database", "postgres"]


@pytest.fixture
def machines(database: Database) -> list[int]:
    """Two machines of an enterprise."""

    def fill(connection: Connection) -> list[int]:
        add_enterprise(connection, USCCS[0])
        return [add_machine(connection, USCCS[0], f"A-{at}") for at in range(2)]

    return database.run_now(fill)


@pytest.fixture(scope="session")
def shared_influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    with Influxd(tmp_path_factory.mktemp("influx")) as server:
        yield server


@pytest.fixture
def influxd(shared_influxd: Influxd) -> Influxd:
    """The server of the folder, with nothing in its database that another test wrote."""
    shared_influxd.query("DROP DATABASE qulink")
    shared_influxd.query("CREATE DATABASE qulink")
    return shared_influxd
