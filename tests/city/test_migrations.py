"""Migrations and tables say the same, on both databases."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from gateway.city.db.database import Database, connect
from gateway.city.db.schema import metadata
from gateway.city.db.upgrade import DatabaseUnusableError, upgrade


def test_migrations_make_the_tables(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        tables = set(inspect(connection).get_table_names())
    assert tables == {*metadata.tables, "alembic_version"}
    upgrade(database)  # a second start changes nothing


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
        metadata.drop_all(connection)
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


def test_those_who_come_at_once_wait_for_one_another(database: Database, tmp_path: Path) -> None:
    with database.engine.begin() as connection:
        metadata.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
    url = database.engine.url.render_as_string(hide_password=False)
    code = (
        "import sys; from pathlib import Path; from gateway.city.db import database, upgrade\n"
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
    assert [run.communicate(timeout=60)[1] for run in runs] == [""] * 4
