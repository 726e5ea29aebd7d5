"""How partitions are shared: every one is held by one worker, however workers come and go."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from gateway.city.partitions.share import change, fair_share
from gateway.wire.topics import PARTITIONS

EVENTS = st.lists(st.sampled_from(["join", "leave", "look", "look", "look"]), max_size=40)


def look(workers: list[set[int]], which: int) -> None:
    """One worker looks and does what the rule says, as the locks would let it."""
    mine = workers[which]
    held = set().union(*workers)
    wanted = change(mine, held, len(workers))
    assert wanted.release <= mine
    assert not wanted.acquire & held
    mine -= wanted.release
    mine |= wanted.acquire


@given(EVENTS, st.randoms(use_true_random=False))
def test_workers_agree_without_talking(events: list[str], random: Random) -> None:
    workers = [set[int]()]
    for event in events:
        match event:
            case "join":
                workers.append(set())
            case "leave" if len(workers) > 1:
                workers.pop(random.randrange(len(workers)))
            case _:
                look(workers, random.randrange(len(workers)))
        assert sum(map(len, workers)) == len(set().union(*workers))  # never two hold the same
    for _ in range(2):  # the first look gives back, the second takes
        for which in range(len(workers)):
            look(workers, which)
    assert set().union(*workers) == set(range(PARTITIONS))
    assert max(map(len, workers)) <= fair_share(len(workers))
    for mine in workers:  # then nothing moves
        assert not any(change(mine, set().union(*workers), len(workers)))


def test_a_worker_alone_has_all() -> None:
    assert fair_share(1) == PARTITIONS
    assert change((), (), 1).acquire == set(range(PARTITIONS))
    assert fair_share(3) == 342
