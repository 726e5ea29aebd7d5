"""What the quota takes of a queue that is cut into segments."""

from pathlib import Path

import pytest

from gateway.edge.buffer.buffer import Buffer
from gateway.edge.buffer.incoming import Commit
from tests.edge.buffers import frame
from tests.support.consumers import for_city

DAY_MS = 86_400_000


def renewed(buffer: Buffer, *at_ms: int) -> None:
    """Commit frames of 100 bytes, behind which a segment begins."""
    buffer.append(Commit(frames=[frame(1, at_ms=at) for at in at_ms], renews=True), max(at_ms))


def waiting(buffer: Buffer) -> list[int]:
    return [one.seq for one in buffer.city.read(0, 1 << 30)]


@pytest.mark.parametrize("is_restarted", [False, True])
def test_the_segment_that_it_begins_to_take_goes_whole(tmp_path: Path, is_restarted: bool) -> None:
    quota = for_city(1_000, 1 << 50)
    buffer = Buffer.open(tmp_path / "b.db", quota)
    for first in (1, 4, 7):
        renewed(buffer, first, first + 1, first + 2)
    if is_restarted:
        buffer.close()
        buffer = Buffer.open(tmp_path / "b.db", quota)
    buffer.append(Commit(frames=[frame(1, at_ms=at) for at in (10, 11)]), 11)
    assert waiting(buffer) == [4, 5, 6, 7, 8, 9, 10, 11]
    buffer.close()


def test_of_what_is_too_old_only_whole_segments_go(tmp_path: Path) -> None:
    buffer = Buffer.open(tmp_path / "b.db", for_city(1 << 30, DAY_MS))
    renewed(buffer, 1, 2)
    renewed(buffer, 3, 2 * DAY_MS)
    buffer.close()  # within a process, a clock that leaps so far makes nothing old
    buffer = Buffer.open(tmp_path / "b.db", for_city(1 << 30, DAY_MS))
    buffer.append(Commit(), DAY_MS + 10)
    assert waiting(buffer) == [3, 4]
    buffer.close()


def test_a_queue_without_segments_is_kept_frame_by_frame(tmp_path: Path) -> None:
    buffer = Buffer.open(tmp_path / "b.db", for_city(1_000, 1 << 50))
    buffer.append(Commit(frames=[frame(1, at_ms=at) for at in range(1, 13)]), 12)
    assert waiting(buffer) == list(range(4, 13))
    buffer.close()


def test_a_segment_is_full_with_a_sixteenth_of_the_quota_unless_it_is_acknowledged(
    tmp_path: Path,
) -> None:
    buffer = Buffer.open(tmp_path / "b.db", for_city(16 * 300, 1 << 50))
    for at in range(1, 10):
        buffer.append(Commit(frames=[frame(1, at_ms=at)]), at)
        assert not buffer.is_to_renew
        buffer.city.acknowledge(at)
    for at in range(10, 13):
        buffer.append(Commit(frames=[frame(1, at_ms=at)]), at)
    assert buffer.is_to_renew
    renewed(buffer, 13)
    assert not buffer.is_to_renew
    buffer.close()
