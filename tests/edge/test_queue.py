"""When frames leave, and which leave together."""

from collections import deque

import numpy as np
import pytest

from gateway.edge.buffer.outgoing import StoredFrame
from gateway.edge.northbound.queue import (
    LITTLE_BYTES,
    MOST_BYTES,
    MOST_FRAMES,
    Queue,
    merge,
    pop_neighbours,
)
from gateway.edge.northbound.window import Window


def frame(seq: int, size: int = 100) -> StoredFrame:
    return StoredFrame(seq, 1, b"\0" * size)


@pytest.mark.parametrize("commit_s", [0.1, 0.25, 0.5, 1.0, 2.0])
def test_a_light_gateway_sends_about_once_an_interval(commit_s: float) -> None:
    """A minute of commits, each with a little; what wakes the sender is a commit or the wait."""
    queue, sent, now = Queue(1_000), [], 100.0
    commits = deque(100.0 + commit_s * at for at in range(1, int(60 / commit_s) + 1))
    seq, delays = 0, []
    born: dict[int, float] = {}
    while commits or queue.wait_s(now) is not None:
        wait_s = queue.wait_s(now)
        if wait_s == 0:
            delays += [now - born[one.seq] for one in queue.next_message(MOST_BYTES, now)]
            sent.append(now)
            continue
        due = now + wait_s if wait_s is not None else np.inf
        if commits and commits[0] <= due:
            now, seq = commits.popleft(), seq + 1
            born[seq] = now
            queue.add([frame(seq)], seq)
        else:
            now = due
    assert len(born) == len(delays)
    assert min(60, 60 / commit_s) - 2 <= len(sent) <= 67
    assert max(delays) <= 1.25


def test_much_leaves_at_once_and_so_does_all_when_the_gateway_stops() -> None:
    queue = Queue(1_000)
    queue.add([frame(1)], 1)
    assert queue.wait_s(5.0) == 0.0
    queue.next_message(MOST_BYTES, 5.0)
    queue.add([frame(2)], 2)
    assert queue.wait_s(5.1) == pytest.approx(1.15)
    queue.add([frame(3, LITTLE_BYTES)], 3)
    assert queue.wait_s(5.1) == 0.0
    queue.next_message(MOST_BYTES, 5.1)
    queue.add([frame(4)], 4)
    queue.hurries = True
    assert queue.wait_s(5.1) == 0.0


def test_only_neighbours_leave_together_and_never_too_many() -> None:
    queue = deque([frame(1), frame(2), frame(4), *(frame(seq, 1) for seq in range(5, 3_000))])
    assert [one.seq for one in pop_neighbours(queue, 1 << 20)] == [1, 2]
    assert len(pop_neighbours(queue, 1 << 20)) == MOST_FRAMES
    queue = deque([frame(1, 500), frame(2, 400), frame(3, 200)])
    assert [one.seq for one in pop_neighbours(queue, 1_000)] == [1, 2]
    assert [one.seq for one in pop_neighbours(queue, 10)] == [3]  # one is always taken


def test_a_frame_alone_is_sent_as_it_is() -> None:
    (message,) = merge([frame(7)])
    assert (message.first, message.seq, message.body) == (7, 7, frame(7).body)


def test_a_message_is_on_its_way_until_all_its_frames_are_acknowledged() -> None:
    window = Window(1, 1_000)
    window.send(3, 6, 0.0)
    for upto, ranges in ((0, ()), (0, ((6, 6),)), (3, ((5, 6),)), (2, ((4, 9),))):
        window.acknowledge(upto, ranges, 0.0)
        assert window.full
    window.acknowledge(3, ((4, 9),), 0.0)
    assert not window.full
    assert not window.send(10, 12, 0.0)
    window.restart()
    assert window.send(4, 12, 0.0)
