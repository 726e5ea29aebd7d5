"""A real PostgreSQL for the tests of several workers."""

from tests.support.city_db import postgres

__all__ = ["postgres"]
