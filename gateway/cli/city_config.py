"""What commands about a city share: which configuration, and its database."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from edge_config.city import CityConfig
    from gateway.city.db.database import Database

CityFile = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="QULINK_CITY", help="The city's YAML file."),
]
DEFAULT = Path("city.yaml")


def fail(message: str) -> NoReturn:
    """Print a message to stderr and exit 1."""
    typer.echo(message, err=True)
    sys.exit(1)


def load(config: Path) -> "CityConfig":
    """The city's configuration; exits 1 with every mistake."""
    from edge_config.load import load_city  # noqa: PLC0415
    from edge_config.problems import ConfigError  # noqa: PLC0415

    try:
        return load_city(config)
    except ConfigError as error:
        fail(f"{error}\n(name another city with --config or QULINK_CITY)")


@contextmanager
def opened(config: "CityConfig") -> Iterator["Database"]:
    """The city's database, at its newest version; exits 1 if it cannot be used."""
    from alembic.util import CommandError  # noqa: PLC0415
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    from edge_config.base import SecretUnavailableError  # noqa: PLC0415
    from gateway.city.db.database import connect  # noqa: PLC0415
    from gateway.city.db.upgrade import upgrade  # noqa: PLC0415

    database = None
    try:
        database = connect(config.database.url, config.data_dir, config.database.password)
        upgrade(database)
        yield database
    except (SQLAlchemyError, CommandError, SecretUnavailableError, OSError) as error:
        fail(f"cannot use the city's database: {error}")
    finally:
        if database is not None:
            database.close()


def system_ms() -> int:
    """The system clock, UTC milliseconds."""
    import time  # noqa: PLC0415

    return time.time_ns() // 1_000_000
