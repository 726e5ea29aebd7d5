"""Connections to the relational database.

Everything that reads or writes it is a plain function of a SQLAlchemy ``Connection``; async code
runs such functions in a thread through :meth:`Database.run`.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

from edge_config.models.base import Secret
from gateway.durable import make_folder, sync_names, write_ahead
from gateway.private import keep_private

P = ParamSpec("P")
T = TypeVar("T")

_POSTGRES = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""A server that does not answer is noticed within half a minute (seconds; milliseconds the last).
"""
_CHUNK = 500
_BUSY_MS = 10_000
_PATIENT_MS = 3_600_000
_SQLITE_PRAGMAS = (f"busy_timeout={_BUSY_MS}", "foreign_keys=ON")


class DatabaseUnusableError(Exception):
    """The relational database cannot be used; the message says why and what to do."""


class Database:
    """One relational database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    async def run(
        self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a function of a connection in a thread, in one transaction; see :meth:`run_now`."""
        return await _in_thread(lambda: self.run_now(function, *args, **kwargs))

    async def read(
        self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a function that only reads in a thread, on one snapshot; see :meth:`read_now`."""
        return await _in_thread(lambda: self.read_now(function, *args, **kwargs))

    def read_now(
        self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a function that only reads here: all its queries see one state of the database.

        What others commit meanwhile is not seen, so no figure mixes two ledgers. Nobody waits:
        neither for this one nor because of it.
        """
        with self.engine.connect() as connection, _snapshot(connection):
            return function(connection, *args, **kwargs)

    def run_now(
        self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a function of a connection here, in one transaction.

        Queries before its first write see each what is committed by then; what is computed from
        several of them belongs into :meth:`read_now`.
        """
        with self.engine.begin() as connection:
            return function(connection, *args, **kwargs)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


async def _in_thread(work: Callable[[], T]) -> T:
    """Do blocking work in a thread.

    Who is cancelled meanwhile waits for its end: no connection outlives :meth:`Database.close`.
    """
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        with contextlib.suppress(Exception):  # nobody asks for it any more
            task.result()
        raise


@contextlib.contextmanager
def _snapshot(connection: Connection) -> Iterator[None]:
    """A transaction that sees one state of the database and cannot change it."""
    if connection.dialect.name != "sqlite":
        connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with connection.begin():
            yield
        return
    with connection.begin():
        # Python's driver begins a transaction at the first write only: without this each query
        # of a reader would be a snapshot of its own.
        connection.exec_driver_sql("PRAGMA query_only=ON")
        connection.exec_driver_sql("BEGIN")
        try:
            yield
        finally:
            connection.exec_driver_sql("PRAGMA query_only=OFF")


def connect(url: str, data_dir: Path, password: Secret | None = None) -> Database:
    """Open a database; an SQLite path is taken relative to ``data_dir``.

    Args:
        url: SQLAlchemy URL, ``sqlite:///…`` or ``postgresql://…``.
        data_dir: the city's folder; created if missing.
        password: replaces one in the URL.
    """
    target = make_url(url)
    if target.get_backend_name() == "sqlite":
        make_folder(data_dir)
        file = data_dir / (target.database or "city.db")
        _make(file)
        engine = create_engine(target.set(database=str(file)), hide_parameters=True)
        event.listen(engine, "connect", _configure_sqlite)
        return Database(engine)
    if target.drivername == "postgresql":
        target = target.set(drivername="postgresql+psycopg")
    if password is not None:
        target = target.set(password=password.reveal())
    return Database(
        create_engine(target, pool_pre_ping=True, hide_parameters=True, connect_args=_POSTGRES)
    )


def _make(file: Path) -> None:
    """Make an empty file of the folder's owner: what root's commands make, the service uses."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))
        made, folder = file.stat(), file.parent.stat()
        if os.geteuid() == 0 and (made.st_uid, made.st_gid) != (folder.st_uid, folder.st_gid):
            os.chown(file, folder.st_uid, folder.st_gid)
        sync_names(file)
    keep_private(file)


def _configure_sqlite(connection: Any, _record: Any) -> None:
    write_ahead(connection)
    for pragma in _SQLITE_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def alone(connection: Connection, what: str) -> None:
    """Wait until no other transaction has ``what``, and have it until this one ends.

    First in a transaction that reads what it then writes by: SQLite, which has one writer, would
    refuse the write if another had written since. There it is the whole database that waits.

    Args:
        connection: in a transaction; on SQLite one that has not read yet, or has written.
        what: 1 to 7 letters, one word for each kind of work.
    """
    _lock(connection, what, "pg_advisory_xact_lock")


def together(connection: Connection, what: str) -> None:
    """Have ``what`` beside others who have it together; who wants it alone waits for all of them.

    Args:
        connection: as for :func:`alone`.
        what: likewise.
    """
    _lock(connection, what, "pg_advisory_xact_lock_shared")


@contextlib.contextmanager
def patient(connection: Connection) -> Iterator[None]:
    """Wait for another transaction as long as a migration of a large city takes.

    PostgreSQL always does; SQLite gives up soon elsewhere, so that no page waits for long.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    connection.exec_driver_sql(f"PRAGMA busy_timeout={_PATIENT_MS}")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={_BUSY_MS}")


def _lock(connection: Connection, what: str, function: str) -> None:
    if connection.dialect.name != "sqlite":
        key = int.from_bytes(what.encode())
        connection.exec_driver_sql(f"SELECT {function}({key})")
    elif not getattr(connection.connection.dbapi_connection, "in_transaction", False):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def words(error: Exception) -> str:
    """What the database said, in one line without the statement and its values; of others, all."""
    text = str(getattr(error, "orig", None) or error).strip()
    return text.partition("\n")[0][:300]


_TOO_LARGE = "54000"
"""SQLSTATE of a row that fits into no page or index; the others of its class are the server's."""


def is_permanent(error: BaseException) -> bool:
    """Whether an error comes from what is written, so that trying again is of no use.

    All else is the database's own trouble – a full disk, a deadlock, a time-out, memory, a lost
    connection, damage – and passes, or a person ends it. Of SQLite a row's faults are constraints
    and sizes; of PostgreSQL they are SQLSTATE classes 22 (data) and 23 (integrity), by which
    drivers choose the two classes of errors. They raise ``OverflowError`` and ``UnicodeError``, and
    SQLAlchemy a bare ``StatementError``, for what cannot be handed over at all.
    """
    if isinstance(error, DataError | IntegrityError | OverflowError | UnicodeError):
        return True
    if isinstance(error, DBAPIError):
        return getattr(error.orig, "sqlstate", None) == _TOO_LARGE
    return isinstance(error, StatementError) and isinstance(error.orig, TypeError | ValueError)


def chunks(items: Iterable[T], size: int = _CHUNK) -> Iterator[list[T]]:
    """Cut a long list into what one query can name: SQLite takes 32,766 parameters."""
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part
