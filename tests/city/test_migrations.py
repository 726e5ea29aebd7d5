"""Migrations and tables say the same, on both databases."""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.schema import SchemaItem

from gateway.city.db import monthly
from gateway.city.db.schema.whole import metadata
from gateway.city.db.upgrade import CITY, upgrade
from gateway.relational.database import Database, DatabaseUnusableError, alone, connect
from tests.support.city_db import drop_all
from tests.support.waiting import SOON_S


def test_migrations_make_the_tables(database: Database) -> None:
    with database.engine.connect() as connection:
        opts = {"compare_type": True, "include_object": _is_table}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, metadata) == []
        looked = inspect(connection)
        tables = {*looked.get_table_names(), *looked.get_view_names()}
    assert tables == {*metadata.tables, "alembic_version"}
    upgrade(database)  # a second start changes nothing


def _is_table(one: SchemaItem, name: str | None, *_: object) -> bool:
    """Raw days are a view on SQLite; the tables that it joins are compared to the letter."""
    return name != "evidence"


_COLUMNS = """
    SELECT table_name, column_name, ordinal_position, data_type, is_nullable,
        character_maximum_length, column_default
    FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 3
"""
_CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2
"""
_INDICES = """
    SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2
"""
# Not the text of a table: SQLite adds a later column behind the constraints.
_TABLES = "FROM sqlite_master AS made JOIN {}(made.name) AS one WHERE made.type = 'table'"
_ORDER = " ORDER BY 1, 2"
_CATALOGUE = {
    "sqlite": (
        "SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%' ORDER BY 1",
        "SELECT made.name, one.* " + _TABLES.format("pragma_table_xinfo") + _ORDER,
        "SELECT made.name, one.* " + _TABLES.format("pragma_foreign_key_list") + _ORDER,
        "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'index' ORDER BY 1, 2",
    ),
    "postgresql": (_COLUMNS, _CONSTRAINTS, _INDICES),
}


def catalogue(database: Database) -> list[list[tuple[object, ...]]]:
    """Everything that the database itself says of its tables."""
    with database.engine.connect() as connection:
        texts = _CATALOGUE[connection.dialect.name]
        answers = [connection.execute(text(one)).all() for one in texts]
    return [
        [_sorted(tuple(row)) for row in rows if "alembic_version" not in str(tuple(row))]
        for rows in answers
    ]


def _sorted(row: tuple[object, ...]) -> tuple[object, ...]:
    """SQLite writes a column that is added later behind the constraints of its table."""
    head, separator, body = str(row[-1]).partition("(")
    if not head.startswith("CREATE TABLE"):
        return row
    items = re.split(r",(?![^()]*\))", body.strip().removesuffix(")"))
    return (*row[:-1], head + separator, *sorted(item.strip() for item in items))


def test_what_migrations_make_is_what_tables_say_to_the_letter(database: Database) -> None:
    """Defaults, widths, partial indices, what is never counted twice: whoever changes a table
    without a migration is told here."""
    days = [date(2025, 12, 31), date(2026, 1, 1)]
    database.run_now(monthly.ensure, days)
    migrated = catalogue(database)
    with database.engine.begin() as connection:
        drop_all(connection)
        metadata.create_all(connection)
        if connection.dialect.name == "sqlite":
            connection.execute(text("DROP TABLE evidence"))
        monthly.ensure(connection, days)
    assert catalogue(database) == migrated


def test_the_newest_version_is_known_without_loading_the_migrations(database: Database) -> None:
    with database.engine.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == CITY.newest


def test_a_command_does_not_load_what_migrates(database: Database) -> None:
    """Loading it took a third of the time of an import of ten rows."""
    url = database.engine.url.render_as_string(hide_password=False)
    code = (
        "import sys; from pathlib import Path\n"
        "from gateway.city.db import upgrade; from gateway.relational import database\n"
        "opened = database.connect(sys.argv[1], Path())\n"
        "upgrade.upgrade(opened); opened.close(); sys.exit('alembic' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, url], check=True)


def test_a_migration_does_not_change_with_the_tables() -> None:
    """It was run once, on databases that are in use: it imports nothing that goes on changing."""
    files = sorted(CITY.folder.glob("v*.py"))
    assert files
    for file in files:
        assert re.search(r"^\s*(from|import) gateway", file.read_text(), re.MULTILINE) is None


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    database = connect("sqlite:///city.db", tmp_path)
    upgrade(database)
    database.run_now(lambda c: c.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(DatabaseUnusableError, match=r"written by a newer qulink .*9999"):
        upgrade(database)
    database.close()


@pytest.mark.parametrize("version", ["0001", "0004"])
def test_an_older_database_is_refused_and_left_as_it_is(database: Database, version: str) -> None:
    """Whatever an older qulink wrote: it is not migrated, and not a byte of it is lost."""
    with database.engine.begin() as connection:
        drop_all(connection)
        connection.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": version})
        connection.execute(text("CREATE TABLE equipment (id INTEGER, asset_no VARCHAR(64))"))
        connection.execute(text("INSERT INTO equipment VALUES (1, 'B-001')"))
    with pytest.raises(DatabaseUnusableError, match=f"an older qulink .version {version}.") as said:
        upgrade(database)
    assert "\n" not in str(said.value)
    with database.engine.begin() as connection:
        assert set(inspect(connection).get_table_names()) == {"alembic_version", "equipment"}
        assert connection.execute(text("SELECT * FROM equipment")).all() == [(1, "B-001")]
        connection.execute(text("DROP TABLE equipment"))


def test_a_file_belongs_to_the_owner_of_its_folder(tmp_path: Path) -> None:
    owner = os.getuid() or 65_000  # root's commands must not shut the service out
    os.chown(tmp_path, owner, -1)
    connect("sqlite:///city.db", tmp_path).close()
    status = (tmp_path / "city.db").stat()
    assert (status.st_uid, status.st_mode & 0o777) == (owner, 0o600)


def test_who_comes_while_a_large_city_is_migrated_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.relational.database._SQLITE_PRAGMAS", ("busy_timeout=1",))
    first, second = (connect("sqlite:///city.db", tmp_path) for _ in range(2))
    with ThreadPoolExecutor() as pool:
        with first.engine.begin() as connection:
            alone(connection, "qulink")
            waiting = pool.submit(upgrade, second)
            with pytest.raises(TimeoutError):
                waiting.result(0.3)
        waiting.result(SOON_S)
    first.close()
    second.close()


def test_those_who_come_at_once_wait_for_one_another(database: Database, tmp_path: Path) -> None:
    with database.engine.begin() as connection:
        drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
    url = database.engine.url.render_as_string(hide_password=False)
    code = (
        "import sys; from pathlib import Path\n"
        "from gateway.city.db import upgrade; from gateway.relational import database\n"
        "input(); opened = database.connect(sys.argv[1], Path())\n"
        "upgrade.upgrade(opened); opened.close()"
    )
    arguments = [sys.executable, "-W", "error", "-c", code, url]
    pipe = subprocess.PIPE
    runs = [
        subprocess.Popen(arguments, stdin=pipe, stderr=pipe, cwd=tmp_path, text=True)
        for _ in range(4)
    ]
    for run in runs:
        assert run.stdin is not None
        run.stdin.write("\n")
        run.stdin.flush()
    assert [run.communicate(timeout=SOON_S)[1] for run in runs] == [""] * 4
