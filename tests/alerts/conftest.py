"""A database on SQLite and on PostgreSQL."""

from tests.support.city_db import database, postgres

__all__ = ["database", "postgres"]
