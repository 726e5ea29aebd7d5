"""How many commands of a city come in, and how often it is said that some do not."""

from gateway.edge.northbound.intake import MOST_AT_ONCE, REFILL_S, SAID_S, Intake


class Clock:
    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def test_a_flood_comes_in_as_fast_as_it_may() -> None:
    clock = Clock()
    intake = Intake(clock)
    assert [intake.takes() for _ in range(MOST_AT_ONCE + 5)] == [True] * MOST_AT_ONCE + [False] * 5
    clock.now_s += 3 * REFILL_S
    assert [intake.takes() for _ in range(5)] == [True] * 3 + [False] * 2
    clock.now_s += 3_600
    assert sum(intake.takes() for _ in range(1_000)) == MOST_AT_ONCE, "idle hours save nothing up"


def test_what_is_dropped_is_said_seldom_and_counted() -> None:
    clock = Clock()
    intake = Intake(clock)
    assert [intake.dropped("many") for _ in range(4)] == [1, 0, 0, 0]
    assert intake.dropped("retained") == 1, "another cause is said by itself"
    clock.now_s += SAID_S
    assert [intake.dropped("many") for _ in range(2)] == [4, 0]
