"""The audit log is a chain: what was changed, removed or inserted is found, and where."""

import threading
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import delete, insert, text, update

from gateway.city.access.audit import Action, entries, note
from gateway.city.access.chain import BEGIN, digest_of, verify
from gateway.city.db.schema.access import audit
from gateway.city.db.upgrade import CITY, upgrade
from gateway.relational.database import Database, connect
from gateway.relational.migrating import alembic_config

WRITERS, EACH = 4, 10


def write(database: Database, count: int) -> None:
    for number in range(count):
        database.run_now(note, 1_000 - number, "王丽", Action.LOGIN, f"s{number}", "x")


def test_what_is_written_is_whole(database: Database) -> None:
    assert database.run_now(verify).entries == 0
    write(database, 3)
    found = database.run_now(verify)
    assert (found.entries, found.broken) == (3, None)
    write(database, 1)
    assert database.run_now(verify, found.digest).holds
    assert not database.run_now(verify, "f" * 64).holds


@pytest.mark.parametrize(
    ("tamper", "broken"),
    [
        (update(audit).where(audit.c.id == 2).values(detail="y"), 2),
        (update(audit).where(audit.c.id == 2).values(who="root"), 2),
        (delete(audit).where(audit.c.id == 2), 3),
        (delete(audit).where(audit.c.id == 1), 2),
        (
            insert(audit).values(
                id=9, at_ms=1, who="a", action="login", subject="", detail="", digest="f" * 64
            ),
            9,
        ),
    ],
)
def test_the_first_entry_that_does_not_follow_is_named(
    database: Database, tamper: object, broken: int
) -> None:
    write(database, 4)
    with database.engine.begin() as connection:
        connection.execute(tamper)  # type: ignore[call-overload]
    assert database.run_now(verify).broken == broken


def test_entries_cut_off_are_told_by_a_digest_that_was_kept(database: Database) -> None:
    write(database, 4)
    kept = database.run_now(verify).digest
    with database.engine.begin() as connection:
        connection.execute(delete(audit).where(audit.c.id == 4))
    found = database.run_now(verify, kept)
    assert (found.broken, found.holds) == (None, False)


def test_many_who_write_at_once_make_one_chain(database: Database) -> None:
    threads = [threading.Thread(target=write, args=(database, EACH)) for _ in range(WRITERS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    found = database.run_now(verify)
    assert (found.entries, found.broken) == (WRITERS * EACH, None)


def test_a_digest_is_computed_as_it_is_documented() -> None:
    import hashlib

    line = f'["{BEGIN}",5,"王丽","login","s","say \\"x\\""]'
    expected = hashlib.sha256(line.encode()).hexdigest()
    assert digest_of(BEGIN, (5, "王丽", "login", "s", 'say "x"')) == expected


def test_entries_of_before_are_chained(tmp_path: Path) -> None:
    database = connect("sqlite:///old.db", tmp_path)
    try:
        with database.engine.begin() as connection:
            command.upgrade(alembic_config(connection, CITY), "city16")
            for number in range(3):
                connection.execute(
                    text(
                        "INSERT INTO audit (at_ms, who, action, subject, detail) VALUES "
                        f"({9 - number}, '甲', 'login', 's\"{number}', '')"
                    )
                )
        upgrade(database)
        write(database, 2)
        found = database.run_now(verify)
        assert (found.entries, found.broken) == (5, None)
        assert len(database.run_now(entries)) == 5
    finally:
        database.close()
