"""Each database test runs on SQLite and on a real PostgreSQL."""

from tests.support.city_db import database, postgres

__all__ = ["database", "postgres"]
