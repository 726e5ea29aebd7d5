"""What commands about a city share: which configuration, and its database."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from edge_config.models.city import CityConfig
    from gateway.relational.database import Database

CityFile = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="QULINK_CITY", help="The city's YAML file."),
]
DEFAULT = Path("city.yaml")


def fail(message: str) -> NoReturn:
    """Print a message to stderr and exit 1."""
    typer.echo(message, err=True)
    sys.exit(1)


def load(
    config: Path, hint: str = "\n(name another city with --config or QULINK_CITY)"
) -> "CityConfig":
    """The city's configuration; exits 1 with every mistake and a hint."""
    from edge_config.loading.load import load_city
    from edge_config.mistakes.problems import ConfigError

    try:
        return load_city(config)
    except ConfigError as error:
        fail(f"{error}{hint}")


@contextmanager
def opened(config: "CityConfig") -> Iterator["Database"]:
    """The city's database, at its newest version; exits 1 if it cannot be used."""
    from sqlalchemy.exc import SQLAlchemyError

    from edge_config.models.base import SecretUnavailableError
    from gateway.city.db.upgrade import open_database
    from gateway.relational.database import DatabaseUnusableError, words

    try:
        database = open_database(config)
    except (DatabaseUnusableError, SecretUnavailableError) as error:
        fail(str(error))
    try:
        yield database
    except SQLAlchemyError as error:
        fail(f"the city's database: {words(error)}")
    except OverflowError:
        fail("a number that was given is larger than the city's database holds any")
    finally:
        database.close()


def system_ms() -> int:
    """The system clock, UTC milliseconds."""
    import time

    return time.time_ns() // 1_000_000
