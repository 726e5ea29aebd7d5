"""Bring the relational database to the newest version; safe to call at every start."""

import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from edge_config.models.city import CityConfig
from gateway.city.db.database import Database, alone, connect, words
from gateway.city.db.operation import BeginningError, begin_as_configured
from gateway.core.days import day_of

_SCRIPTS = Path(__file__).parent / "migrations"
_OLDER = {"0001", "0002", "0003", "0004"}
"""Versions before ``city1``, which no city in use has ever had."""


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration for one connection; there is no ``alembic.ini``."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = connection
    return config


class DatabaseUnusableError(Exception):
    """The relational database cannot be used; the message says why and what to do."""


def upgrade(database: Database) -> None:
    """Create or migrate all tables, in one transaction; a second caller waits for the first.

    Raises:
        DatabaseUnusableError: it does not answer, refuses, or was written by a newer qulink or by
            one that is too old; then nothing in it is changed.
    """
    where = database.engine.url.render_as_string(hide_password=True)
    try:
        with database.engine.begin() as connection:
            alone(connection, "qulink")  # a command may come while the city starts
            _refuse_older(connection, where)
            command.upgrade(alembic_config(connection), "head")
    except CommandError as error:
        raise DatabaseUnusableError(
            f"the city's database {where} was written by a newer qulink ({error}); update qulink, "
            "or restore the copy made before the update"
        ) from error
    except SQLAlchemyError as error:
        raise DatabaseUnusableError(f"the city's database {where}: {words(error)}") from error


def _refuse_older(connection: Connection, where: str) -> None:
    version = MigrationContext.configure(connection).get_current_revision()
    if version in _OLDER:
        raise DatabaseUnusableError(
            f"the city's database {where} was written by an older qulink (version {version}), "
            "which this one does not read: give 'database.url' a new database, or go back to the "
            "older qulink"
        )


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
