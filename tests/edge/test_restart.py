"""One gap a restart, whatever the devices do; a kill in between leaves it to the next run."""

import pytest

from gateway.core.batch import Gap
from gateway.core.status import Reason
from gateway.edge.device.bookkeeping.restart import GRACE_MS, Restart


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


def test_devices_share_one_gap_to_the_last_first_attempt() -> None:
    book = Book()
    book.restart.begin(["a", "b"], [700, 500], 1_000)
    assert book.spans == [("", 500, None)]
    book.restart.attempted("a", 1_000, 1_010)
    book.restart.end_if_long(1_020)
    assert book.spans == [("", 500, None)]
    book.restart.attempted("b", 1_030, 1_040)
    book.restart.end_if_long(9_999)
    assert book.spans == [("", 500, 1_040)]


def test_a_device_that_takes_long_has_its_own_gap_from_the_end_of_the_shared_one() -> None:
    book = Book()
    book.restart.begin(["a", "b", "c"], [500], 1_000)
    book.restart.attempted("a", 900, 1_010)
    end = 1_000 + GRACE_MS
    book.restart.end_if_long(end - 1)
    assert book.spans == [("", 500, None)]
    book.restart.end_if_long(end)
    book.restart.attempted("b", end + 400, end + 500)
    book.restart.attempted("c", end - 1, end + 600)  # all of it is in the shared gap
    assert book.spans == [("", 500, end), ("b", end, end + 500)]


def test_a_quick_restart_that_missed_nothing_is_no_gap() -> None:
    book = Book()
    book.restart.begin(["a", "b"], [], 1_000)
    book.restart.attempted("a", None, 1_100)
    book.restart.attempted("b", 1_050, 1_100)
    assert book.spans == [("b", 1_000, 1_100)]


@pytest.mark.parametrize("devices", [["a"], []])
def test_a_gap_left_open_by_a_kill_goes_on_in_the_next_run(devices: list[str]) -> None:
    book = Book(Gap("", "", (), Reason.DISK, 5), Gap("", "", (), Reason.GATEWAY_DOWN, 500))
    book.restart.begin(devices, [800 for _ in devices], 1_000)
    for device in devices:
        book.restart.attempted(device, 1_000, 1_000)
    assert book.spans == [("", 500, 1_000)]


def test_a_clock_that_is_behind_the_gap_ends_it_at_its_begin() -> None:
    book = Book(Gap("", "", (), Reason.GATEWAY_DOWN, 500))
    book.restart.begin(["a"], [], 100)
    book.restart.attempted("a", None, 120)
    assert book.spans == [("", 500, 500)]
