"""Bring the relational database to the newest version; safe to call at every start."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from gateway.city.db.database import Database

_SCRIPTS = Path(__file__).parent / "migrations"


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration for one connection; there is no ``alembic.ini``."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["connection"] = connection
    return config


def upgrade(database: Database) -> None:
    """Create or migrate all tables, in one transaction where the database can.

    Raises:
        alembic.util.CommandError: the database was written by a newer qulink.
        sqlalchemy.exc.SQLAlchemyError: the database does not answer or refuses.
    """
    with database.engine.begin() as connection:
        command.upgrade(alembic_config(connection), "head")
