"""Migrations and tables say the same, on both databases."""

import os
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from gateway.city.db.database import Database, connect
from gateway.city.db.tables import metadata
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


def test_a_file_belongs_to_the_owner_of_its_folder(tmp_path: Path) -> None:
    owner = os.getuid() or 65_000  # root's commands must not shut the service out
    os.chown(tmp_path, owner, -1)
    connect("sqlite:///city.db", tmp_path).close()
    status = (tmp_path / "city.db").stat()
    assert (status.st_uid, status.st_mode & 0o777) == (owner, 0o600)
