"""The record of writes: on disk, the owner's alone, and no line of it changes unseen."""

import errno
import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.edge.commands import audit
from gateway.edge.commands.audit import AuditError, AuditFile, entries, verify
from gateway.edge.commands.lines import Entry, read_line, seal_of, sealed


def filled(path: Path, lines: int = 5) -> list[str]:
    file = AuditFile(path)
    for at in range(lines):
        file.append(Entry(0, at, "write", f"c{at}", "某人", "city", "d", "t", at, at, 0.5))
    file.close()
    return path.read_text(encoding="utf-8").splitlines(keepends=True)


def test_lines_are_numbered_chained_and_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    filled(path, 3)
    filled(path, 2)
    verdict = verify(path)
    assert (verdict.lines, verdict.broken) == (5, "")
    assert [entry.number for entry in entries(path)] == [1, 2, 3, 4, 5]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("at", range(5))
def test_a_line_that_is_changed_removed_or_doubled_is_found(tmp_path: Path, at: int) -> None:
    path = tmp_path / "r.jsonl"
    lines = filled(path)
    forged = lines[at].replace('"device":"d"', '"device":"e"')
    for wrong in ([forged], [], [lines[at]] * 2):
        body = "".join(lines[:at] + wrong + lines[at + 1 :])
        path.write_text(body, encoding="utf-8")
        verdict = verify(path)
        if not wrong and at == len(lines) - 1:
            assert verdict.lines == at, "a cut end is told by count and hash only"
            continue
        assert verdict.broken.startswith(f"line {at + 1 + (len(wrong) > 1)} ")
        with pytest.raises(AuditError, match="was changed after line"):
            AuditFile(path)


def test_a_rehashed_line_breaks_the_next(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    lines = filled(path, 3)
    changed = Entry(2, 9, "write", "c9")
    before = seal_of(lines[0].encode())
    forged, _ = sealed(changed, before)
    path.write_bytes(lines[0].encode() + forged + lines[2].encode())
    assert verify(path).broken == "line 3 is not what was written"


@given(st.integers(1, 400))
@settings(max_examples=40)
def test_half_a_line_of_a_power_cut_is_taken_away(cut: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "r.jsonl"
        lines = filled(path, 3)
        last = len(lines[2].encode())
        size = path.stat().st_size - min(cut, last)
        os.truncate(path, size)
        file = AuditFile(path)
        file.append(Entry(0, 7, "result", "c2"))
        file.close()
        assert verify(path).broken == ""
        assert [entry.id for entry in entries(path)] == ["c0", "c1", "c2"]


def test_one_process_has_it_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    first = AuditFile(path)
    with pytest.raises(AuditError, match="another process has the record"):
        AuditFile(path)
    first.close()
    AuditFile(path).close()


def test_a_disk_that_takes_no_line_leaves_the_chain_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "r.jsonl"
    file = AuditFile(path)
    file.append(Entry(0, 1, "write", "c1"))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(AuditError, match="No space left"):
        patched.setattr(os, "fsync", full)
        file.append(Entry(0, 2, "write", "c2"))
    file.append(Entry(0, 3, "write", "c3"))
    file.close()
    assert [entry.id for entry in entries(path)] == ["c1", "c3"]
    assert verify(path).broken == ""


def test_a_long_record_is_opened_by_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As far back as a command can come again, however many there were."""
    path = tmp_path / "r.jsonl"
    monkeypatch.setattr(audit, "_TAIL_BYTES", 1_000)
    file = AuditFile(path)
    for at in range(50):
        late = 0 if at < 30 else audit.KEPT_MS + 1
        file.append(Entry(0, late + at, "write", f"c{at}"))
    file.close()
    file = AuditFile(path)
    assert 21 <= len(file.recent) < 50
    file.append(Entry(0, 99, "write", "c99"))
    file.close()
    assert verify(path) == (51, verify(path).hash, "")


def test_a_place_where_no_file_can_be_is_said(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="cannot be opened"):
        AuditFile(tmp_path / "none" / "r.jsonl")


@given(st.binary(max_size=200))
def test_any_bytes_are_no_record(body: bytes) -> None:
    assert read_line(body, "0" * 64) is None


def test_all_of_an_entry_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    entry = Entry(1, 2, "result", "c", "w", "o", "d", "t", "12.5", 125, 1.0, "verified", "x", True)
    file = AuditFile(path)
    file.append(entry)
    file.close()
    assert list(entries(path)) == [entry]
    assert msgspec.json.decode(path.read_bytes())["hash"] == verify(path).hash
