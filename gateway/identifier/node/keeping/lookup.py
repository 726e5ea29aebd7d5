"""The question that is asked most: what everybody may see of an identifier.

One prepared statement on the driver's own connection: SQLAlchemy would cost more than the answer.
"""

import sqlite3
from contextlib import suppress
from typing import Any

import msgspec
from sqlalchemy import URL

from gateway.identifier.irp.bodies import Held
from gateway.identifier.irp.values import PUBLIC_READ, Value
from gateway.identifier.node.keeping import contents
from gateway.identifier.node.registration import Registration, Withdrawal
from gateway.identifier.visibility import Seen, hidden
from gateway.relational.database import Database

_QUERY = (
    "SELECT record.handle, record.contents, record.template_version, template.seen, "
    "record.withdrawn_ms, record.withdrawn_why, record.withdrawn_by FROM record "
    "LEFT JOIN template ON template.prefix = record.prefix "
    "AND template.version = record.template_version WHERE record.key = {}"
)


_Row = tuple[str, bytes, str, str | None, int | None, str, str]


class LookupFailedError(Exception):
    """The database does not answer."""


class Lookup:
    """A connection of its own that only asks. For one thread, or one loop, at a time.

    Args:
        database: of the node; at its newest version.
    """

    def __init__(self, database: Database) -> None:
        self._url = database.engine.url
        self.is_quick = self._url.get_backend_name() == "sqlite"
        """Whether it may be asked on the loop: no server has to be waited for."""
        self._query = _QUERY.format("?" if self.is_quick else "%s")
        self._connection: Any = None

    def held(self, handle: str) -> Held | None:
        """An identifier; values that not everybody may see are not public in it.

        Of a withdrawn one they are why and by whom, which nobody sees unproved.

        Raises:
            LookupFailedError: the database does not answer.
        """
        row = self._row(handle.upper())
        if row is None:
            return None
        name, blob, version, seen, withdrawn_ms, why, by = row
        if withdrawn_ms is not None:
            return Withdrawal(name, withdrawn_ms, why, by).held
        held = Registration(name, version, contents.read(blob)).held
        return held if seen is None else Held(name, _veiled(held.values, seen))

    def _row(self, key: str) -> _Row | None:
        """The row; a connection that was lost meanwhile is opened again, once."""
        try:
            return self._asked(key)
        except Exception:  # noqa: BLE001 - of one of two drivers; the second attempt tells it
            self.close()
        try:
            return self._asked(key)
        except Exception as error:
            self.close()
            raise LookupFailedError(f"the node's database: {error}") from error

    def _asked(self, key: str) -> _Row | None:
        if self._connection is None:
            self._connection = _opened(self._url)
        found: _Row | None = self._connection.execute(self._query, (key,)).fetchone()
        return found

    def close(self) -> None:
        """Let go of the connection."""
        with suppress(Exception):
            if self._connection is not None:
                self._connection.close()
        self._connection = None


def _opened(url: URL) -> Any:
    if url.get_backend_name() == "sqlite":
        database = sqlite3.connect(str(url.database), check_same_thread=False, isolation_level=None)
        database.execute("PRAGMA query_only=ON")
        return database
    import psycopg  # noqa: PLC0415 - a third of a second, and not with SQLite

    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True, prepare_threshold=0, connect_timeout=10)


def _veiled(values: tuple[Value, ...], seen: str) -> tuple[Value, ...]:
    """Values of which those that the template hides are not public."""
    secret = hidden(seen, Seen.EVERYBODY)
    if not secret:
        return values
    return tuple(_private(one) if one.index in secret else one for one in values)


def _private(one: Value) -> Value:
    return msgspec.structs.replace(one, permissions=one.permissions & ~PUBLIC_READ)
