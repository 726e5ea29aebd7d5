"""The single file of the embedded node of before becomes the node's database."""

import json
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from gateway.city.db.upgrade import upgrade as upgrade_city
from gateway.identifier.node.credentials import NodeCredentials
from gateway.identifier.node.embedded import settle
from gateway.identifier.node.keeping import audit, records, templates
from gateway.identifier.node.keeping.lookup import Lookup
from gateway.identifier.node.keeping.opening import NODE, open_database
from gateway.identifier.node.keeping.tables import metadata
from gateway.identifier.node.rights import registrations
from gateway.identifier.node.rights.principal import Terms, Visit, principal_of
from gateway.identifier.registering.registry import Outcome
from gateway.identifier.visibility import Seen
from gateway.relational.database import Database, DatabaseUnusableError, connect

URL = "sqlite:///node.db"
LAYOUT_1 = """
CREATE TABLE IF NOT EXISTS template (
    prefix TEXT NOT NULL, version TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (prefix, version)
) STRICT;
CREATE TABLE IF NOT EXISTS handle (
    key TEXT PRIMARY KEY, handle TEXT NOT NULL, template_version TEXT NOT NULL,
    value TEXT NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
    deleted_ms INTEGER
) STRICT;
PRAGMA user_version=1;
"""
"""As the node of before made it."""
MANY = 2_500


def item(at: int, value: str) -> dict[str, object]:
    data = {"format": "string", "value": value}
    return {"index": at, "type": f"t{at}", "data": data, "auth": ""}


def fill(path: Path) -> None:
    items = [{"idIndex": at, "idType": f"t{at}", "name": f"n{at}"} for at in (2000, 2001)]
    body = {"prefix": "88.999.qz01", "version": "1", "items": items}
    rows = [
        (
            f"88.999.QZ01/{n}A",
            f"88.999.QZ01/{n}a",
            "1",
            json.dumps([item(2000, "磨床")]),
            5,
            7,
            None,
        )
        for n in range(MANY)
    ]
    rows.append(("88.999.QZ01/GONE", "88.999.QZ01/gone", "1", "[]", 5, 9_000, 9_000))
    half = json.dumps([item(2001, "a\ud800b")])
    rows.append(("88.999.QZ01/HALF", "88.999.QZ01/half", "1", half, 5, 8_000, None))
    with sqlite3.connect(path) as old:
        old.executescript(LAYOUT_1)
        old.execute("INSERT INTO template VALUES (?, ?, ?)", ("88.999.QZ01", "1", json.dumps(body)))
        old.executemany("INSERT INTO handle VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    old.close()


def test_all_identifiers_marks_and_templates_are_taken_over(tmp_path: Path) -> None:
    fill(tmp_path / "node.db")
    database = open_database(URL, tmp_path, {"t2000": Seen.EVERYBODY})
    try:
        assert database.run_now(records.count) == MANY + 1
        assert database.run_now(records.taken, ["88.999.QZ01/GONE"]) == {"88.999.QZ01/GONE"}
        assert database.run_now(records.living, ["88.999.QZ01/GONE"]) == {}
        kept = database.run_now(records.living, ["88.999.QZ01/7A", "88.999.QZ01/HALF"])
        assert kept["88.999.QZ01/7A"].handle == "88.999.QZ01/7a"
        assert [one.data.decode() for one in kept["88.999.QZ01/7A"].values] == ["磨床"]
        (half,) = kept["88.999.QZ01/HALF"].values
        assert (half.index, half.data, half.timestamp_s) == (2001, b"a?b", 8)
        body = database.run_now(templates.find, "88.999.QZ01", "1")
        assert body is not None
        assert [one["idIndex"] for one in body["items"]] == [2000, 2001]
        lookup = Lookup(database)
        held = lookup.held("88.999.qz01/7a")
        assert held is not None
        assert held.values[-1].is_public
        hidden = lookup.held("88.999.qz01/half")
        assert hidden is not None
        assert not hidden.values[-1].is_public, "the template does not say who sees it"
        lookup.close()
    finally:
        database.close()
    again = open_database(URL, tmp_path, {})
    assert again.run_now(records.count) == MANY + 1
    again.close()


def test_what_is_taken_over_is_the_citys_to_change(tmp_path: Path) -> None:
    fill(tmp_path / "node.db")
    database = open_database(URL, tmp_path, {})
    own = NodeCredentials("qulink-city", "secret")
    for _ in range(2):  # each start of the city
        database.run_now(settle, own, "88.999", 5)
    visit = Visit(database.run_now(principal_of, own.username), Terms("88.999"), 10)
    handles = ["88.999.QZ01/1a", "88.999.QZ01/gone"]
    done = database.run_now(registrations.withdraw, visit, [(one, "by mistake") for one in handles])
    assert [one.outcome for one in done] == [Outcome.OK, Outcome.NOT_FOUND]
    assert database.run_now(records.count) == MANY
    database.close()


def test_the_older_qulink_refuses_the_file_from_then_on(tmp_path: Path) -> None:
    fill(tmp_path / "node.db")
    open_database(URL, tmp_path, {}).close()
    with sqlite3.connect(tmp_path / "node.db") as file:
        assert file.execute("PRAGMA user_version").fetchone() == (2,)
    file.close()


def test_a_takeover_that_fails_changes_nothing(tmp_path: Path) -> None:
    fill(tmp_path / "node.db")
    with sqlite3.connect(tmp_path / "node.db") as file:
        file.execute("UPDATE handle SET value = '[' WHERE key = '88.999.QZ01/7A'")
    with pytest.raises(DatabaseUnusableError, match="Expecting value"):
        open_database(URL, tmp_path, {})
    with sqlite3.connect(tmp_path / "node.db") as file:
        assert file.execute("SELECT count(*) FROM handle").fetchone() == (MANY + 2,)
        assert file.execute("PRAGMA user_version").fetchone() == (1,)
    file.close()


def test_migrations_make_the_tables(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == NODE.newest
    assert database.run_now(audit.newest, 5) == []


def test_a_city_and_a_node_do_not_share_a_database(url: str, tmp_path: Path) -> None:
    database = connect(url, tmp_path)
    upgrade_city(database)
    with pytest.raises(DatabaseUnusableError, match=r"another program .version city\d+.; give"):
        open_database(url, tmp_path, {})
    database.close()


def test_a_database_of_a_newer_node_is_refused(url: str, tmp_path: Path) -> None:
    database = open_database(url, tmp_path, {})
    database.run_now(lambda c: c.execute(text("UPDATE alembic_version SET version_num='node9'")))
    database.close()
    with pytest.raises(DatabaseUnusableError, match=r"the node's database .* by a newer qulink"):
        open_database(url, tmp_path, {})
