"""The database's own trouble is never taken for a fault of what is written: nothing is given up."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import OperationalError

from gateway.city.app import City
from gateway.city.db.tables import quarantine, watermark
from gateway.city.ingest.persistence import Persistence
from gateway.city.ingest.uplink.inbox import Incoming
from gateway.city.live.metrics import CityMetrics
from gateway.relational.database import Database, connect, is_permanent
from tests.support.broker import Mosquitto
from tests.support.city import batch_of, city_on, rows_of, schema_of, sender
from tests.support.city_db import sqlite_city
from tests.support.postgres import Postgres
from tests.support.waiting import until

AT = 1_790_000_000_000
_INSERT = """
    INSERT INTO enterprise (uscc, name, county, industry, above_scale)
    VALUES (:code, :name, '330822', '3451', true)
"""


def written(connection: Connection, size: int = 10) -> None:
    connection.execute(text(_INSERT), {"code": "91330800MA0000001K", "name": "x" * size})


def full(connection: Connection) -> None:
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    written(connection, 1 << 20)


def read_only(connection: Connection) -> None:
    connection.exec_driver_sql("PRAGMA query_only = ON")
    written(connection)


def interrupted(connection: Connection) -> None:
    driver: Any = connection.connection.dbapi_connection
    driver.set_progress_handler(lambda: 1, 1)
    written(connection)


def no_table(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE enterprise RENAME TO elsewhere")
    written(connection)


@pytest.mark.parametrize("trouble", [full, read_only, interrupted, no_table])
def test_troubles_of_sqlite(tmp_path: Path, trouble: Any) -> None:
    database = sqlite_city(tmp_path)
    with pytest.raises(Exception) as caught:
        database.run_now(trouble)
    assert not is_permanent(caught.value), caught.value
    database.close()


def test_an_sqlite_file_that_another_holds_or_that_is_damaged(tmp_path: Path) -> None:
    database = sqlite_city(tmp_path)

    def impatient(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA busy_timeout = 0")
        written(connection)

    with database.engine.connect() as other:
        other.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(Exception) as caught:
            database.run_now(impatient)
    assert not is_permanent(caught.value)
    database.close()
    file = tmp_path / "city.db"
    file.write_bytes(file.read_bytes()[:4096] + b"\xff" * (file.stat().st_size - 4096))
    with pytest.raises(Exception) as caught:
        database.run_now(written)
    assert not is_permanent(caught.value)


STATES = {
    "of the connection": "08006 08P01",
    "of transactions": "25006 25P02 40001 40002 40P01",
    "of resources": "53000 53100 53200 53300",
    "of the server's limits": "54001 54011",
    "of what others do": "55006 55P03",
    "of an operator": "57014 57P01 57P03",
    "of the system": "58030 XX000 XX001",
    "of the tables": "42P01 42703 28P01",
}


ROW = "22003 22021 22P02 22P05 23502 23503 23505 23514 23P01 54000"


@pytest.mark.parametrize("states", STATES.values(), ids=STATES)
def test_troubles_of_postgresql(trouble: "Raise", states: str) -> None:
    assert not any(is_permanent(trouble(state)) for state in states.split())


def test_what_postgresql_says_of_a_row(trouble: "Raise") -> None:
    for state in ROW.split():
        assert is_permanent(trouble(state)), state


@pytest.mark.parametrize(
    "statement",
    [
        "SET LOCAL statement_timeout = '10ms'; SELECT pg_sleep(60)",
        "SET TRANSACTION READ ONLY; CREATE TABLE t (i int)",
        "SELECT pg_terminate_backend(pg_backend_pid())",
    ],
)
def test_what_postgresql_really_says_of_itself(own: Database, statement: str) -> None:
    with pytest.raises(Exception) as caught:
        own.run_now(lambda c: [c.exec_driver_sql(part) for part in statement.split(";")])
    assert not is_permanent(caught.value), caught.value


def test_a_row_too_large_for_an_index_of_postgresql_is_to_blame(own: Database) -> None:
    def write(connection: Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE t (x text UNIQUE)")
        parts = "string_agg(md5(n::text), '')"
        connection.exec_driver_sql(f"INSERT INTO t SELECT {parts} FROM generate_series(1, 400) n")

    with pytest.raises(Exception) as caught:
        own.run_now(write)
    assert is_permanent(caught.value)


class Raise:
    """Lets a PostgreSQL raise an error of a SQLSTATE."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __call__(self, state: str) -> BaseException:
        block = f"DO $$ BEGIN RAISE EXCEPTION 'as told' USING ERRCODE = '{state}'; END $$"
        with pytest.raises(Exception) as caught:
            self._database.run_now(lambda connection: connection.exec_driver_sql(block))
        return caught.value


@pytest.fixture
def own(postgres: Postgres) -> Iterator[Database]:
    database = connect(postgres.url, Path())
    yield database
    database.close()


@pytest.fixture
def trouble(own: Database) -> Raise:
    return Raise(own)


async def test_memory_that_is_short_ends_nothing() -> None:
    """SQLite's driver has no class of its own for it."""
    persistence, tries = Persistence(CityMetrics()), 0

    async def work() -> str:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise MemoryError
        return "written"

    assert await persistence.written([Incoming("t", b"", 0)], work) == "written"
    assert tries == 3


SQLITE = {"unwritable": "PRAGMA query_only = ON", "usual": "PRAGMA query_only = OFF"}
POSTGRES = {
    "read only": "SET TRANSACTION READ ONLY",
    "out of memory": "DO $$ BEGIN RAISE EXCEPTION 'memory' USING ERRCODE = '53200'; END $$",
    "too slow": "SET LOCAL statement_timeout = '1ms'; SELECT pg_sleep(1)",
}


async def test_while_sqlite_cannot_write_frames_wait_and_none_is_quarantined(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    async with city_on(mosquitto.url, tmp_path, "gw-1") as city:
        await waits(city, mosquitto, SQLITE["unwritable"], SQLITE["usual"])


@pytest.mark.parametrize("trouble", POSTGRES.values(), ids=POSTGRES)
async def test_while_postgresql_cannot_write_frames_wait_and_none_is_quarantined(
    mosquitto: Mosquitto, tmp_path: Path, postgres_url: str, trouble: str
) -> None:
    async with city_on(mosquitto.url, tmp_path, "gw-1", database={"url": postgres_url}) as city:
        await waits(city, mosquitto, trouble)


async def waits(city: City, mosquitto: Mosquitto, trouble: str, usual: str = "") -> None:
    """Frames are kept while each transaction begins with this trouble, and stored afterwards."""
    schema = schema_of("speed")
    attempts = city.ingest.persistence._database_attempts
    async with sender(mosquitto.port, "gw-1") as gateway:
        with begun_by(city.database, trouble, usual):
            for number in range(1, 6):
                await gateway.send(number, schema, batch_of(schema, AT + number, 1.0))
            await until(lambda: attempts.failures >= 3)
        await gateway.acked(5)
        assert gateway.acks[-1].unstored == {}
    (mark,) = rows_of(city, watermark)
    assert (mark["values_committed"], mark["values_quarantined"]) == (5, 0)
    assert rows_of(city, quarantine) == []


@contextlib.contextmanager
def begun_by(database: Database, statements: str, usual: str) -> Iterator[None]:
    """Each transaction begins with these statements; later ones with what is usual."""

    def begun(connection: Connection) -> None:
        driver: Any = connection.connection.dbapi_connection
        for statement in filter(None, statements.split(";")):
            try:
                driver.execute(statement)
            except psycopg.Error as error:
                raise OperationalError(statement, None, error) from error

    event.listen(database.engine, "begin", begun)
    try:
        yield
    finally:
        statements = usual
