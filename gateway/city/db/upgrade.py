"""Bring the relational database to the newest version; safe to call at every start."""

import time
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from edge_config.models.city import CityConfig
from gateway.city.db.operation import BeginningError, begin_as_configured
from gateway.core.days import day_of
from gateway.relational.database import Database, DatabaseUnusableError, connect, words

_MIGRATIONS = Path(__file__).parent / "migrations" / "versions"


def newest_version() -> str:
    """The version that the newest migration makes, by the number of its file."""
    newest = max(_MIGRATIONS.glob("v*.py")).name
    return f"city{int(newest[1:5])}"


def upgrade(database: Database) -> None:
    """Create or migrate all tables, in one transaction; a second caller waits for the first.

    Raises:
        DatabaseUnusableError: it does not answer, refuses, or was written by a newer qulink or by
            one that is too old; then nothing in it is changed.
    """
    # A command of the newest version neither waits for the lock nor loads Alembic: half a second.
    try:
        version = _version(database)
    except SQLAlchemyError as error:
        where = database.engine.url.render_as_string(hide_password=True)
        raise DatabaseUnusableError(f"the city's database {where}: {words(error)}") from error
    if version != newest_version():
        from gateway.city.db.migrating import migrate  # noqa: PLC0415 - as said above

        migrate(database)


def _version(database: Database) -> str | None:
    """The version that a database says it has; None: it says none."""
    with database.engine.connect() as connection:
        try:
            return str(connection.scalar(text("SELECT version_num FROM alembic_version")))
        except DBAPIError:  # there is no such table
            return None


def open_database(config: CityConfig) -> Database:
    """Connect to a city's database, bring it to the newest version, see that the city began.

    Raises:
        DatabaseUnusableError: as :func:`upgrade` says, its folder cannot be used, or the city
            did not begin on the configured day.
        SecretUnavailableError: its password cannot be read.
    """
    try:
        database = connect(config.database.url, config.data_dir, config.database.password)
    except OSError as error:
        raise DatabaseUnusableError(f"cannot use the folder {config.data_dir}: {error}") from error
    try:
        upgrade(database)
        _begin(database, config)
    except DatabaseUnusableError:
        database.close()
        raise
    return database


def _begin(database: Database, config: CityConfig) -> None:
    day = config.city.began_on
    if day is None:  # the first enrolment will write it
        return
    try:
        database.run_now(begin_as_configured, day, day_of(time.time_ns() // 1_000_000))
    except BeginningError as error:
        raise DatabaseUnusableError(str(error)) from error
    except SQLAlchemyError as error:
        raise DatabaseUnusableError(f"the city's database: {words(error)}") from error
