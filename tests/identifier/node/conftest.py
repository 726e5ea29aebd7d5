"""A node's database: on SQLite, and on a real PostgreSQL that the tests of this folder share."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from gateway.identifier.node.keeping.opening import open_database
from gateway.relational.database import Database
from tests.support.city_db import postgres
from tests.support.postgres import Postgres

__all__ = ["postgres"]

_numbers = count(1)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """Of an empty database, as in a configuration."""
    if request.param == "sqlite":
        return "sqlite:///node.db"
    server: Postgres = request.getfixturevalue("postgres")
    name = f"node{next(_numbers)}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{server.url.rpartition('/')[0]}/{name}"


@pytest.fixture
def database(url: str, tmp_path: Path) -> Iterator[Database]:
    """An empty node."""
    opened = open_database(url, tmp_path, {})
    yield opened
    opened.close()
