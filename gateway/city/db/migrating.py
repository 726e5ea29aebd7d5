"""Run the migrations; loaded only where a database is not of the newest version."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from gateway.relational.database import Database, DatabaseUnusableError, alone, words

_SCRIPTS = Path(__file__).parent / "migrations"
_OLDER = {"0001", "0002", "0003", "0004"}
"""Versions before ``city1``, which no city in use has ever had."""


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration for one connection; there is no ``alembic.ini``."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = connection
    return config


def migrate(database: Database) -> None:
    """Run what is missing, in one transaction; a second caller waits for the first.

    Raises:
        DatabaseUnusableError: as :func:`gateway.city.db.upgrade.upgrade` says.
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
