"""A power cut keeps of a folder what it held when it was synced last: are our files in that?"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.city.identifiers.issued import IssuedFile
from gateway.city.registry.credentials import set_line
from gateway.city.stores.telemetry_file import Merge
from gateway.city.stores.telemetry_file import open_file as open_telemetry
from gateway.drivers.opcua.connecting.certificates import OWN_FILE, own_certificate
from gateway.durable import make_folder, sync_folder
from gateway.edge.buffer.buffer import Buffer
from gateway.identifier.node.credentials import FILE, node_credentials
from gateway.identifier.node.keeping.opening import open_database
from gateway.relational.database import connect
from tests.support.consumers import for_city


class Disk:
    """Notes what each folder held when it was synced last."""

    def __init__(self) -> None:
        self.kept: dict[Path, set[str]] = {}
        self._fsync = os.fsync

    def fsync(self, descriptor: int) -> None:
        self._fsync(descriptor)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if path.is_dir():
            self.kept[path] = {one.name for one in path.iterdir()}

    def holds(self, path: Path, root: Path) -> bool:
        """Whether a power cut now leaves a file that lies below ``root``."""
        while path != root:
            if path.name not in self.kept.get(path.parent, ()):
                return False
            path = path.parent
        return True


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    noting = Disk()
    monkeypatch.setattr(os, "fsync", noting.fsync)
    return noting


def make_buffer(folder: Path) -> Path:
    folder.mkdir(parents=True)  # by systemd, a moment ago
    Buffer.open(folder / "b.db", for_city()).close()
    return folder / "b.db"


def make_telemetry(folder: Path) -> Path:
    open_telemetry(folder / "telemetry.db", Merge()).close()
    return folder / "telemetry.db"


def make_city(folder: Path) -> Path:
    connect("sqlite:///city.db", folder).close()
    return folder / "city.db"


def make_certificate(folder: Path) -> Path:
    own_certificate(folder)
    return folder / OWN_FILE


def make_credentials(folder: Path) -> Path:
    node_credentials(folder)
    return folder / FILE


def make_node(folder: Path) -> Path:
    folder.mkdir(parents=True)
    open_database("sqlite:///node.db", folder, {}).close()
    return folder / "node.db"


def make_issued(folder: Path) -> Path:
    folder.mkdir(parents=True)
    IssuedFile(folder / "issued.db").close()
    return folder / "issued.db"


@pytest.mark.parametrize(
    "make",
    [
        make_buffer,
        make_telemetry,
        make_city,
        make_certificate,
        make_credentials,
        make_node,
        make_issued,
    ],
)
def test_a_first_start_lasts(tmp_path: Path, disk: Disk, make: Callable[[Path], Path]) -> None:
    """The folders that it made included."""
    made = make(tmp_path / "var" / "qulink")
    assert made.exists()
    assert disk.holds(made, tmp_path)


def test_a_changed_password_file_lasts(tmp_path: Path, disk: Disk) -> None:
    file = tmp_path / "passwords"
    file.write_text("old:line\n")
    before = file.stat().st_ino
    set_line(file, "gw", "gw:line")
    assert file.stat().st_ino != before
    assert "passwords" in disk.kept[tmp_path]


def test_a_damaged_buffer_that_was_set_aside_stays_aside(tmp_path: Path, disk: Disk) -> None:
    path = make_buffer(tmp_path / "edge")
    path.write_bytes(b"no database" * 1_000)
    disk.kept.clear()
    Buffer.open(path, for_city()).close()
    (aside,) = path.parent.glob("b.db.damaged-*")
    assert disk.holds(aside, path.parent)
    assert disk.holds(path, path.parent)


def test_a_folder_that_cannot_be_synced_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(os, "fsync", refuse)
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_a_disk_that_fails_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output"):
        sync_folder(tmp_path)
