"""Processes that begin one file at the same moment all come to use it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from gateway.city.identifiers.issued import IssuedFile
from gateway.city.stores import telemetry_file
from gateway.relational.database import connect

OPENERS = 6
FILES = 20


def open_issued(path: Path) -> None:
    IssuedFile(path).close()


def open_telemetry(path: Path) -> None:
    telemetry_file.open_file(path, telemetry_file.Merge()).close()


def open_city(path: Path) -> None:
    database = connect(f"sqlite:///{path.name}", path.parent)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
    database.close()


@pytest.mark.parametrize("opened", [open_issued, open_telemetry, open_city])
def test_all_open_a_file_that_they_begin_together(
    tmp_path: Path, opened: Callable[[Path], None]
) -> None:
    for number in range(FILES):
        path, begun = tmp_path / f"{number}.db", Barrier(OPENERS)

        def begin(_opener: int, path: Path = path, begun: Barrier = begun) -> None:
            begun.wait()
            opened(path)

        with ThreadPoolExecutor(OPENERS) as pool:
            list(pool.map(begin, range(OPENERS)))  # raises what one of them has raised
