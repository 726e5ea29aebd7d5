"""DuckDB: a file beside the city, read by this process."""

# ruff: noqa: S608 - statements hold names of the layout and whole numbers

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import numpy as np

from gateway.city.rates.engines.engine import EngineError
from gateway.city.rates.engines.gathering import Columns
from gateway.city.rates.engines.layout import TABLES, columns_of

_MACROS = {
    "bitAnd(one, other)": "one & other",
    "bitOr(one, other)": "one | other",
    "bitNot(one)": "~one",
    "bitShiftRight(one, places)": "one >> places",
    "bitCount(one)": "CAST(bit_count(one) AS BIGINT)",  # its own type holds no number above 127
}
"""What questions are asked in has these names, which are ClickHouse's."""


class Duck:
    """A DuckDB file; see :class:`gateway.city.rates.engines.store.Store`.

    Args:
        path: the file; made if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.where = f"DuckDB {path}"
        with self._said("open"):
            self._connection = duckdb.connect(str(path))
            for name, text in _MACROS.items():
                self._connection.execute(f"CREATE OR REPLACE TEMP MACRO {name} AS {text}")

    def prepare(self) -> None:
        """Make the tables."""
        with self._said("make the tables of"):
            for table in TABLES:
                columns = columns_of(table, uscc="VARCHAR")
                self._connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns})")

    def append(self, table: str, columns: Columns) -> None:
        """Add rows."""
        rows = {
            name: one.astype(np.str_).astype(object) if one.dtype.kind == "S" else one
            for name, one in columns.items()
        }
        names = ", ".join(rows)
        with self._said("write to"):
            self._connection.register("rows_to_add", rows)
            self._connection.execute(
                f"INSERT INTO {table} ({names}) SELECT {names} FROM rows_to_add"
            )
            self._connection.unregister("rows_to_add")

    def ask(self, text: str) -> Sequence[Sequence[int | str]]:
        """Answer a question."""
        with self._said("ask"):
            return self._connection.execute(text).fetchall()

    def drop(self, copy: int) -> None:
        """Take a copy away; first what says that it is complete."""
        with self._said("tidy up"):
            for table in reversed(list(TABLES)):
                self._connection.execute(f"DELETE FROM {table} WHERE copy = {copy:d}")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def _said(self, what: str) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            raise EngineError(f"cannot {what} {self.where}: {_words(error)}") from error


def _words(error: duckdb.Error) -> str:
    if isinstance(error, duckdb.CatalogException):
        return "there are no tables yet; run: qulink rates engine send"
    said = str(error).partition("\n")[0]
    return f"{said}; look whether another process has the file, and whether the disk is full"
