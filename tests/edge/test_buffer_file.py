"""The buffer's file: in use, missing, damaged, of another version or program."""

import contextlib
import logging
import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.core.batch import Gap
from gateway.core.machines import MachineCounts
from gateway.core.status import Reason
from gateway.edge.buffer.buffer import Buffer, read_books
from gateway.edge.buffer.incoming import Commit
from gateway.edge.buffer.outgoing import Pending
from gateway.edge.buffer.storage.file import TABLES, VERSION, BufferFileError
from tests.edge.buffers import DAY, Open, commit, frame
from tests.support.consumers import for_city


def test_two_processes_cannot_use_one_buffer(opened: Open, tmp_path: Path) -> None:
    opened()
    with pytest.raises(BufferFileError, match="in use by another qulink"):
        Buffer.open(tmp_path / "b.db", for_city(1, 1))


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(BufferFileError, match="nowhere does not exist; create it"):
        Buffer.open(tmp_path / "nowhere" / "b.db", for_city(1, 1))
    with pytest.raises(BufferFileError, match="does not exist"):
        read_books(tmp_path / "b.db")


@pytest.mark.parametrize("damage", ["head", "middle", "text"])
def test_a_damaged_file_is_set_aside_with_an_error(
    opened: Open, tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    buffer = opened()
    epoch = buffer.epoch
    for _ in range(50):
        buffer.append(commit(frame(1, 5_000)), 0)
    buffer.close()
    path = tmp_path / "b.db"
    content = bytearray(path.read_bytes())
    if damage == "head":
        content[:200] = os.urandom(200)
    elif damage == "middle":
        content[8_192:40_960] = os.urandom(32_768)
    path.write_bytes(b"no database at all\n" * 99 if damage == "text" else content)
    with caplog.at_level(logging.ERROR):
        again = Buffer.open(path, for_city(1 << 20, 1 << 50))
    try:
        assert again.epoch != epoch
        assert (again.last_seq, again.city.pending()) == (0, Pending(0, 0, 0))
        assert "is damaged" in caplog.text
        assert "a new epoch begins" in caplog.text
        assert list(tmp_path.glob("b.db.damaged-*"))
    finally:
        again.close()


def test_a_column_of_another_name_is_damage(
    opened: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One bit of the schema's text has flipped, which SQLite's own check does not see."""
    epoch = opened().epoch
    opened().close()
    path = tmp_path / "b.db"
    content = path.read_bytes()
    assert content.count(b"suppressed INTEGER") == 1
    path.write_bytes(content.replace(b"suppressed INTEGER", b"stppressed INTEGER"))
    assert opened().epoch != epoch
    assert "its tables have other columns than a buffer's" in caplog.text
    assert list(tmp_path.glob("b.db.damaged-*"))


@pytest.mark.parametrize("key", ["epoch", "last_seq", "chain", "opened_at", "segments 1"])
def test_a_number_that_is_none_is_damage(
    opened: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture, key: str
) -> None:
    """Such a bit of a row SQLite does not see either; the gateway would end at every start."""
    opened().close()
    with contextlib.closing(sqlite3.connect(tmp_path / "b.db")) as connection, connection:
        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, '1q')", (key,))
    buffer = opened()
    buffer.append(commit(frame(1)), 0)
    assert f"its {key} is '1q'" in caplog.text
    assert list(tmp_path.glob("b.db.damaged-*"))


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("since", "body", "x'c1'"),
        ("since", "day", "'2027-01-1q'"),
        ("since_machine", "body", "x'c1'"),
        ("books", "day", "'2027-01-1q'"),
        ("books", "day", "CAST(x'b2303237' AS TEXT)"),
        ("machine", "day", "'2027-01-1q'"),
        ("gap", "cause", "250"),
        ("meta", "value", "CAST(x'b130' AS TEXT)"),
    ],
)
def test_a_row_that_cannot_be_read_is_damage(
    opened: Open,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    table: str,
    column: str,
    value: str,
) -> None:
    """The gateway would end at every start, or whenever it reports its books."""
    counted = commit(frame(1), gaps=(Gap("d", "g", (), Reason.TIMEOUT, 5, None),))
    opened().append(replace(counted, machines={("d", "s", "a", DAY): MachineCounts(0, 1)}), 0)
    opened().close()
    with contextlib.closing(sqlite3.connect(tmp_path / "b.db")) as connection, connection:
        assert connection.execute(f"UPDATE {table} SET {column} = {value}").rowcount
    buffer = opened()
    buffer.unreported()
    buffer.unreported_machines()
    buffer.gaps()
    assert "a row of it cannot be read" in caplog.text
    assert list(tmp_path.glob("b.db.damaged-*"))


def test_damage_that_comes_while_it_is_used_says_what_to_do(opened: Open, tmp_path: Path) -> None:
    buffer = opened()
    buffer.append(commit(*(frame(1, 5_000) for _ in range(600))), 0)  # more than is in memory
    buffer = opened(max_age_ms=10)
    buffer._writer.execute("PRAGMA shrink_memory")
    with (tmp_path / "b.db").open("r+b") as file:
        file.seek(4_096)
        file.write(os.urandom(200_000))
    with pytest.raises(BufferFileError, match="when the gateway starts again"):
        buffer.city.read(0, 1 << 20)
    with pytest.raises(BufferFileError, match="when the gateway starts again"):
        buffer.append(Commit(), 1_000)


@pytest.mark.parametrize(
    ("version", "which"), [(99, "newer"), (VERSION - 1, "older"), (1, "older")]
)
def test_another_version_is_refused_and_left_alone(
    opened: Open, tmp_path: Path, version: int, which: str
) -> None:
    opened().close()
    with sqlite3.connect(tmp_path / "b.db") as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    before = (tmp_path / "b.db").read_bytes()
    expected = (
        f"has version {version}, this qulink knows {VERSION}; "
        f"install the {which} qulink again, or move the file away"
    )
    with pytest.raises(BufferFileError, match=expected):
        Buffer.open(tmp_path / "b.db", for_city(1, 1))
    assert (tmp_path / "b.db").read_bytes() == before


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "b.db")) as connection:
        connection.executescript("CREATE TABLE ledger (n); PRAGMA user_version = 2")
    before = (tmp_path / "b.db").read_bytes()
    with pytest.raises(BufferFileError, match="is a database, but no buffer"):
        Buffer.open(tmp_path / "b.db", for_city(1, 1))
    assert (tmp_path / "b.db").read_bytes() == before


def test_the_books_of_a_buffer_that_is_being_made_cannot_be_read_yet(tmp_path: Path) -> None:
    path = tmp_path / "b.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(TABLES)
    with pytest.raises(BufferFileError, match="is being made"):
        read_books(path)
