"""How long a disk that has refused values is left alone."""

from gateway.edge.buffer.full_disk import PROBE_MS, Refusal

AT_MS = 1_760_000_000_000


def test_a_disk_that_refuses_rests_and_a_clock_set_back_does_not_prolong_it() -> None:
    refusal = Refusal()
    assert not refusal.is_pausing(AT_MS)
    refusal.pause(AT_MS)
    assert refusal.is_pausing(AT_MS)
    assert refusal.is_pausing(AT_MS + PROBE_MS - 1)
    assert not refusal.is_pausing(AT_MS + PROBE_MS)
    assert not refusal.is_pausing(AT_MS - 1)
