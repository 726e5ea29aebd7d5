"""Run the migrations; loaded only where a database is not of the newest version."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from gateway.relational.database import Database, DatabaseUnusableError, alone, patient, words
from gateway.relational.versions import Versions

_SCRIPTS = Path(__file__).parent / "migrations"


def alembic_config(connection: Connection, versions: Versions) -> Config:
    """Alembic's configuration for one connection; there is no ``alembic.ini``."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.set_main_option("path_separator", "newline")  # folders may have any other character
    config.set_main_option("version_locations", str(versions.folder))
    config.attributes["connection"] = connection
    config.attributes["metadata"] = versions.metadata()
    return config


def migrate(database: Database, versions: Versions) -> None:
    """Run what is missing, in one transaction; a second caller waits for the first.

    Raises:
        DatabaseUnusableError: as :func:`gateway.relational.versions.upgrade` says.
    """
    told = versions.told_of(database)
    try:
        with database.engine.begin() as connection:
            with patient(connection):  # a command may come while the program starts
                alone(connection, "qulink")
            _refuse_others(connection, versions, told)
            command.upgrade(alembic_config(connection, versions), "head")
    except CommandError as error:
        raise DatabaseUnusableError(
            f"{told} was written by a newer qulink ({error}); update qulink, "
            "or restore the copy made before the update"
        ) from error
    except SQLAlchemyError as error:
        raise DatabaseUnusableError(f"{told}: {words(error)}") from error


def _refuse_others(connection: Connection, versions: Versions, told: str) -> None:
    version = MigrationContext.configure(connection).get_current_revision() or versions.program
    if version in versions.older:
        raise DatabaseUnusableError(
            f"{told} was written by an older qulink (version {version}), "
            "which this one does not read: give 'database.url' a new database, or go back to the "
            "older qulink"
        )
    if version[0].isalpha() and version.rstrip("0123456789") != versions.program:
        raise DatabaseUnusableError(
            f"{told} holds the tables of another program (version {version}); give 'database.url' "
            "a database of its own"
        )
