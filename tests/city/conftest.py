"""A database of its own on the PostgreSQL that the tests of this folder share."""

from itertools import count

import pytest

from tests.support.city_db import database, postgres, postgres_copy
from tests.support.postgres import Postgres

__all__ = ["database", "postgres"]

_numbers = count(1)


@pytest.fixture
def postgres_url(postgres: Postgres) -> str:
    """Of the database of an empty city, as in a configuration."""
    return postgres_copy(postgres.url, f"own{next(_numbers)}")
