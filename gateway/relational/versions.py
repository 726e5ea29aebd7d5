"""Bring a relational database to the newest version; safe to call at every start."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import MetaData, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from gateway.relational.database import Database, DatabaseUnusableError, words


@dataclass(frozen=True, slots=True)
class Versions:
    """What versions the databases of one program have had.

    Attributes:
        program: whose they are; its versions are called by it and counted: ``city1``, ``city2``.
        folder: of the migrations, ``v0001_….py`` and so on.
        metadata: gives the tables of the newest version; called where one migrates only.
        older: versions of before the first migration, which are refused.
    """

    program: str
    folder: Path
    metadata: Callable[[], MetaData]
    older: frozenset[str] = frozenset()

    @property
    def newest(self) -> str:
        """The version that the newest migration makes, by the number of its file."""
        name = max(self.folder.glob("v*.py")).name
        return f"{self.program}{int(name[1:5])}"

    def told_of(self, database: Database) -> str:
        """A database, as messages name it."""
        where = database.engine.url.render_as_string(hide_password=True)
        return f"the {self.program}'s database {where}"


def upgrade(database: Database, versions: Versions) -> None:
    """Create or migrate all tables, in one transaction; a second caller waits for the first.

    Raises:
        DatabaseUnusableError: it does not answer, refuses, is another program's, or was written
            by a newer qulink or by one that is too old; then nothing in it is changed.
    """
    # A command of the newest version neither waits for the lock nor loads Alembic: half a second.
    try:
        version = _version(database)
    except SQLAlchemyError as error:
        raise DatabaseUnusableError(f"{versions.told_of(database)}: {words(error)}") from error
    if version != versions.newest:
        from gateway.relational.migrating import migrate  # noqa: PLC0415 - as said above

        migrate(database, versions)


def _version(database: Database) -> str | None:
    """The version that a database says it has; None: it says none."""
    with database.engine.connect() as connection:
        try:
            return str(connection.scalar(text("SELECT version_num FROM alembic_version")))
        except DBAPIError:  # there is no such table
            return None
