"""Files with values, ledgers and secrets are no business of others, also outside a service."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.city.db.upgrade import upgrade
from gateway.city.identifiers.issued import IssuedFile
from gateway.city.stores import telemetry_file
from gateway.edge.buffer.storage import file as buffer_file
from gateway.identifier.node.keeping.opening import open_database
from gateway.private import begin_private, keep_private
from gateway.relational.database import connect


@pytest.fixture(autouse=True)
def generous() -> Iterator[None]:
    """A person's umask, by which all may read what is made."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def make_city(path: Path) -> None:
    database = connect(f"sqlite:///{path.name}", path.parent)
    upgrade(database)
    database.close()


def make_telemetry(path: Path) -> None:
    telemetry_file.open_file(path, telemetry_file.Merge()).close()


def make_node(path: Path) -> None:
    open_database(f"sqlite:///{path.name}", path.parent, {}).close()


def make_buffer(path: Path) -> None:
    buffer_file.open_file(path).close()


def make_issued(path: Path) -> None:
    IssuedFile(path).close()


MAKERS = [make_city, make_telemetry, make_node, make_buffer, make_issued]


def modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(one.stat().st_mode) for one in folder.iterdir() if one.is_file()}


@pytest.mark.parametrize("make", MAKERS)
def test_a_database_is_its_owners(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "one.db")
    assert modes(tmp_path) == {0o600}


@pytest.mark.parametrize("make", MAKERS)
def test_others_lose_what_an_older_version_gave_them(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    path = tmp_path / "one.db"
    make(path)
    path.chmod(0o664)
    make(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o660  # the group's rights somebody has set


def test_what_stands_beside_a_database_is_kept_private_too(tmp_path: Path) -> None:
    for name in ("a.db", "a.db-wal", "a.db-shm"):
        (tmp_path / name).touch(0o644)
    keep_private(tmp_path / "a.db")
    assert modes(tmp_path) == {0o640}


def test_a_place_where_nothing_can_be_made_is_left_to_who_opens(tmp_path: Path) -> None:
    keep_private(tmp_path / "none" / "a.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("before", "after"), [(0o022, 0o077), (0o177, 0o177)])
def test_a_process_makes_files_for_its_owner(before: int, after: int) -> None:
    os.umask(before)
    begin_private()
    assert os.umask(after) == after
