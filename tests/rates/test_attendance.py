"""Days in service, added up one after another."""

from datetime import date

import numpy as np

from gateway.city.rates.attendance import Attendance, DayData, Service, Window
from gateway.city.rates.days.service import StatusHistory, spans_before


def test_a_sensor_of_today_is_seen_although_the_day_does_not_count_yet() -> None:
    today = date(2026, 11, 5)
    days = Attendance(1, Window(date(2026, 11, 1), today, today_runs=True))
    yes, no = np.array([True]), np.array([False])
    for day in days.window.days():
        seen = yes if day == today else no
        serving = yes if day >= date(2026, 11, 3) else no
        days.add(day, Service(serving, serving), DayData(seen, no, no))
    assert (days.service[0], days.silent[0], days.valid[0], days.last[0]) == (2, 2, 0, 0)
    assert (days.seen[0], days.doubtful[0]) == (True, False)


def test_what_comes_out_of_service_proves_nothing() -> None:
    first = date(2026, 11, 1)
    days = Attendance(1, Window(first, date(2026, 11, 3), today_runs=False))
    yes, no = np.array([True]), np.array([False])
    out = DayData(yes, yes, yes)
    for day, (serving, data) in zip(
        days.window.days(), ((no, out), (yes, DayData(yes, yes, no)), (no, out)), strict=True
    ):
        days.add(day, Service(serving, serving), data)
    assert (days.service[0], days.silent[0], days.valid[0]) == (1, 0, 1)
    assert days.last[0] == first.toordinal() + 1
    assert (days.seen[0], days.doubtful[0]) == (True, False)


def test_a_status_holds_from_its_day_until_the_next() -> None:
    first = date(2026, 11, 1).toordinal()
    places, days = np.array([0, 1, 0]), np.array([first + 2, first, first])
    history = StatusHistory(2, places, days, np.array([2, 1, 3], np.uint8))
    seen = [history.on(date.fromordinal(first + offset)).tolist() for offset in range(-1, 4)]
    assert seen == [[0, 0], [3, 1], [3, 1], [2, 1], [2, 1]]


def test_an_undated_entry_leaves_the_days_before_it_open() -> None:
    first = date(2026, 11, 1).toordinal()
    places, days = (
        np.array([0, 0, 1, 2, 0]),
        np.array([first, first + 3, first + 2, first, first + 4]),
    )
    codes = np.array([1, 2, 3, 1, 1], np.uint8)
    dated = np.array([True, False, False, True, False])
    spans = StatusHistory(3, *spans_before(places, days, codes, dated))
    seen = [spans.on(date.fromordinal(first + offset)).tolist() for offset in range(-1, 6)]
    assert seen == [[0, 3, 0], [0, 3, 0], [2, 3, 0], [2, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
