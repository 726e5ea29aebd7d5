"""What is learned of the largest message, against brokers of a few lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.edge.northbound.limit import LEAST_BYTES, STRIKES, MessageLimit


def test_a_broker_that_says_its_limit_is_believed_in_each_session() -> None:
    limit = MessageLimit(1_000_000)
    for says, most in ((None, 1_000_000), (50_000, 50_000), (2_000_000, 1_000_000), (90, 90)):
        limit.connected(says)
        assert limit.bytes == most


def test_a_refusal_blames_the_largest_message_on_its_way() -> None:
    limit = MessageLimit(1_000_000)
    limit.connected(None)
    for seq, size in enumerate((10, 600_000, 20)):
        limit.sent(seq, size)
    limit.arrived(0)
    limit.refused()
    assert limit.bytes == 300_000
    limit.connected(None)
    assert limit.bytes == 300_000  # the next session does not try again


@pytest.mark.parametrize("takes", [5_000, 40_000])
def test_a_broker_that_only_hangs_up_is_found_out(takes: int) -> None:
    """Messages of which the third is too large; the broker ends the session when it comes."""
    limit = MessageLimit(100_000)
    sizes = [100, 200, 100_000, 300]
    sessions = 0
    while limit.bytes > takes:
        sessions += 1
        limit.connected(None)
        for seq, size in enumerate(sizes):
            limit.sent(seq, min(size, limit.bytes))
            if min(size, limit.bytes) > takes:
                break
            if limit.waits:
                limit.arrived(seq)
        limit.hung_up()
    assert sessions <= 5 * (STRIKES + 1)


@given(st.lists(st.lists(st.integers(1, LEAST_BYTES), max_size=5), max_size=30))
def test_a_bad_network_does_not_make_small_messages_smaller(sessions: list[list[int]]) -> None:
    limit = MessageLimit(100_000)
    for sizes in sessions:
        limit.connected(None)
        for seq, size in enumerate(sizes):
            limit.sent(seq, size)
        limit.hung_up()
    assert limit.bytes == 100_000


def test_after_a_loss_messages_go_one_at_a_time_until_those_of_then_have_arrived() -> None:
    limit = MessageLimit(100_000)
    limit.connected(None)
    for seq in (5, 6, 7):
        limit.sent(seq, 50_000)
    limit.hung_up()
    limit.connected(None)
    assert not limit.waits
    for seq in (5, 6, 7):
        limit.sent(seq, 50_000)
        assert limit.waits
        limit.arrived(seq)
    limit.sent(8, 50_000)
    assert not limit.waits
    limit.hung_up()
    limit.connected(None)
    limit.sent(9, 50_000)  # the frame of then has been cut: it never arrives
    limit.arrived(9)
    limit.sent(10, 50_000)
    assert not limit.waits
