"""Open a city's database: brought to the newest version, and of the city that is configured."""

import time
from pathlib import Path

from sqlalchemy import MetaData
from sqlalchemy.exc import SQLAlchemyError

from edge_config.models.city import CityConfig
from gateway.city.db.operation import BeginningError, begin_as_configured
from gateway.core.days import day_of
from gateway.relational import versions
from gateway.relational.database import Database, DatabaseUnusableError, connect, words
from gateway.relational.versions import Versions


def _tables() -> MetaData:
    from gateway.city.db.schema.whole import metadata  # noqa: PLC0415 - where one migrates only

    return metadata


CITY = Versions(
    "city",
    Path(__file__).parent / "migrations" / "versions",
    _tables,
    older=frozenset({"0001", "0002", "0003", "0004"}),  # which no city in use has ever had
)


def upgrade(database: Database) -> None:
    """Bring a city's database to the newest version.

    Raises:
        DatabaseUnusableError: as :func:`gateway.relational.versions.upgrade` says.
    """
    versions.upgrade(database, CITY)


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
