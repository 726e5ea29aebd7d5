"""Partitions without a worker are named once they have been free for too long."""

from gateway.city.partitions.vacant import HAND_OVER_S, Vacant
from gateway.wire.topics import ALL_PARTITIONS, PARTITIONS


def test_a_partition_that_is_handed_over_in_time_is_no_problem() -> None:
    vacant = Vacant()
    vacant.note(ALL_PARTITIONS - {3, 17}, 100.0)
    assert vacant.count == 2
    assert vacant.problem(100.0 + HAND_OVER_S) == ""
    vacant.note(ALL_PARTITIONS, 100.0 + HAND_OVER_S)
    assert (vacant.count, vacant.problem(1e9)) == (0, "")


def test_what_stays_free_is_named_and_what_became_free_again_counts_anew() -> None:
    vacant = Vacant()
    vacant.note(ALL_PARTITIONS - {3, 17}, 0.0)
    vacant.note(ALL_PARTITIONS - {3}, 10.0)
    vacant.note(ALL_PARTITIONS - {3, 17}, 20.0)
    late = HAND_OVER_S + 1
    assert "holds 1 partitions (3) for more than 30 s" in vacant.problem(late)
    assert "holds 2 partitions (3, 17)" in vacant.problem(late + 20)


def test_a_sentence_does_not_name_a_thousand() -> None:
    vacant = Vacant()
    vacant.note((), 0.0)
    problem = vacant.problem(HAND_OVER_S + 1)
    assert f"{PARTITIONS} partitions (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …)" in problem
