"""Days in service, and what data came on them, a month at a time."""

from datetime import date

import numpy as np

from gateway.city.rates.attendance import Attendance, Data, Masks, Service, Window
from gateway.city.rates.days.service import StatusHistory, day_bits, spans_before

FIRST = date(2026, 11, 1)


def days(*numbers: int) -> Masks:
    """The days of one machine."""
    return np.array([sum(1 << (number - 1) for number in numbers)], np.uint32)


def test_a_sensor_of_today_is_seen_although_the_day_does_not_count_yet() -> None:
    found = Attendance(1, Window(FIRST, date(2026, 11, 5), today_runs=True))
    serving = days(3, 4, 5, 6)
    found.add(FIRST, 0, Service(serving, serving), Data(days(5), days(), days()))
    assert (found.service[0], found.silent[0], found.valid[0], found.last[0]) == (2, 2, 0, 0)
    assert (found.seen[0], found.doubtful[0]) == (True, False)


def test_what_comes_out_of_service_proves_nothing() -> None:
    found = Attendance(1, Window(FIRST, date(2026, 11, 3), today_runs=False))
    data = Data(days(1, 2, 3), days(1, 2, 3), days(1, 3))
    found.add(FIRST, 0, Service(days(2), days(2)), data)
    assert (found.service[0], found.silent[0], found.valid[0]) == (1, 0, 1)
    assert found.last[0] == FIRST.toordinal() + 1
    assert (found.seen[0], found.doubtful[0]) == (True, False)


def test_silence_goes_on_over_the_end_of_a_month() -> None:
    found = Attendance(1, Window(date(2026, 10, 30), date(2026, 11, 3), today_runs=False))
    always, none = days(*range(1, 32)), days()
    found.add(date(2026, 10, 1), 0, Service(always, always), Data(days(30), days(30), none))
    found.add(FIRST, 0b10, Service(always, always), Data(none, none, none))
    assert (found.service[0], found.silent[0], found.valid[0]) == (4, 3, 1)
    assert found.last[0] == date(2026, 10, 30).toordinal()


def statuses(history: StatusHistory, first: date, number: int) -> list[list[int]]:
    """Of each machine on some days of the month of the first one."""
    held = history.month(first.replace(day=1))
    return [history.codes_on(held, first.day - 1 + offset).tolist() for offset in range(number)]


def test_a_status_holds_from_its_day_until_the_next() -> None:
    first = date(2026, 11, 2).toordinal()
    places, begun = np.array([0, 1, 0]), np.array([first + 2, first, first])
    history = StatusHistory(2, places, begun, np.array([2, 1, 3], np.uint8))
    seen = statuses(history, FIRST, 5)
    assert seen == [[0, 0], [3, 1], [3, 1], [2, 1], [2, 1]]
    held = history.month(date(2026, 12, 1))
    assert (history.codes_on(held, 0).tolist(), held[0], held[2]) == ([2, 1], 0, 2**31 - 1)


def test_an_undated_entry_leaves_the_days_before_it_open() -> None:
    first = date(2026, 11, 2).toordinal()
    places, begun = (
        np.array([0, 0, 1, 2, 0]),
        np.array([first, first + 3, first + 2, first, first + 4]),
    )
    codes = np.array([1, 2, 3, 1, 1], np.uint8)
    dated = np.array([True, False, False, True, False])
    spans = StatusHistory(3, *spans_before(places, begun, codes, dated))
    seen = statuses(spans, FIRST, 7)
    assert seen == [[0, 3, 0], [0, 3, 0], [2, 3, 0], [2, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]]


def test_days_of_a_month_in_spans() -> None:
    begins, ends = (np.array(some) + FIRST.toordinal() for some in ([-5, 0, 29, 40], [2, 0, 90, 9]))
    assert day_bits(FIRST, begins, ends).tolist() == [0b11, 0, 0b11 << 29, 0]
