"""One gap a restart, whatever the devices do; a kill in between leaves it to the next run."""

import pytest

from gateway.core.batch import Gap
from gateway.core.status import Reason
from gateway.edge.device.bookkeeping.restart import Restart


class Book:
    """What the city would know: the newest record of each gap."""

    def __init__(self, *remembered: Gap) -> None:
        self.gaps: dict[tuple[str, int], Gap] = {}
        self.restart = Restart(self._take, remembered)

    def _take(self, gap: Gap) -> None:
        self.gaps[gap.device, gap.from_ms] = gap

    @property
    def spans(self) -> list[tuple[str, int, int | None]]:
        assert all(gap.cause is Reason.GATEWAY_DOWN for gap in self.gaps.values())
        return [(gap.device, gap.from_ms, gap.to_ms) for gap in self.gaps.values()]


def test_the_shared_gap_ends_when_the_first_device_has_been_tried() -> None:
    """From then on one of them delivers: what lasts is a gap of the others."""
    book = Book()
    book.restart.begin([700, 500], 1_000, is_awaited=True)
    assert book.spans == [("", 500, None)]
    book.restart.attempted("a", 1_000, 1_010)
    assert book.spans == [("", 500, 1_011)]
    book.restart.attempted("b", 1_500, 1_700)
    book.restart.attempted("c", 1_010, 1_800)  # all that it missed is in the shared gap
    assert book.spans == [("", 500, 1_011), ("b", 1_011, 1_701)]


def test_a_quick_restart_that_missed_nothing_is_no_gap() -> None:
    book = Book()
    book.restart.begin([], 1_000, is_awaited=True)
    book.restart.attempted("a", None, 1_100)
    book.restart.attempted("b", 1_050, 1_100)
    assert book.spans == [("b", 1_001, 1_101)]


def test_a_tick_at_the_very_moment_of_the_first_attempt_is_in_the_gap() -> None:
    """It is skipped as missed, and gaps end before their end."""
    book = Book()
    book.restart.begin([700], 1_000, is_awaited=True)
    book.restart.attempted("a", 1_000, 1_000)
    book.restart.attempted("b", 2_000, 2_000)
    assert book.spans == [("", 700, 1_001), ("b", 1_001, 2_001)]


@pytest.mark.parametrize("devices", [["a"], []])
def test_a_gap_left_open_by_a_kill_goes_on_in_the_next_run(devices: list[str]) -> None:
    book = Book(Gap("", "", (), Reason.DISK, 5), Gap("", "", (), Reason.GATEWAY_DOWN, 500))
    book.restart.begin([800 for _ in devices], 1_000, is_awaited=bool(devices))
    for device in devices:
        book.restart.attempted(device, 1_000, 1_000)
    assert book.spans == [("", 500, 1_001)]


def test_a_clock_that_is_behind_the_gap_ends_it_at_its_begin() -> None:
    book = Book(Gap("", "", (), Reason.GATEWAY_DOWN, 500))
    book.restart.begin([], 100, is_awaited=True)
    book.restart.attempted("a", None, 120)
    assert book.spans == [("", 500, 500)]
