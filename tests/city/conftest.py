"""A database of its own on the PostgreSQL that the tests of this folder share."""

from itertools import count

import psycopg
import pytest

from tests.support.city_db import database, postgres
from tests.support.postgres import Postgres

__all__ = ["database", "postgres"]

_numbers = count(1)


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    """Of an empty database, as in a configuration."""
    name = f"own{next(_numbers)}"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{postgres.url.rpartition('/')[0]}/{name}"
