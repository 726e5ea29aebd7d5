"""The judge finds what is planted, and nothing else."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.chaos.devices import DEADBAND, LEVEL, NUMBER, STATE, Answer, Unit
from tests.chaos.judge import Account, Found, Interval, Row, Terms, Verdict, judge

STEP = 200
BEGIN = 1_800_000_000_100
ANSWERS = 200
END = BEGIN + ANSWERS * STEP
TERMS = Terms(
    interval_ms=STEP, deadbands={LEVEL: DEADBAND}, reach_ms=500, began_ms=BEGIN, until_ms=END
)


def answered() -> list[Answer]:
    unit = Unit(1, noise=2)
    return [Answer(BEGIN + at * STEP + 30, 1, unit.answer()) for at in range(ANSWERS)]


def stored(answers: Sequence[Answer], tags: int | None = None) -> list[Row]:
    """What a perfect gateway sends: what moved, at its tick."""
    rows, held = [], dict[str, int]()
    for answer in answers:
        bands = {tag: DEADBAND if tag == LEVEL else 0 for tag in answer.values}
        moved = {
            tag: value
            for tag, value in answer.values.items()
            if tag not in held or abs(held[tag] - value) > bands[tag]
        }
        held |= moved
        rows.append(Row(1, answer.time_ms - 30, moved))
    return rows


def books_of(rows: Sequence[Row]) -> Account:
    due, buffered = ANSWERS * 6, sum(len(row.values) for row in rows)
    return Account(due=due, ok=due, suppressed=due - buffered, buffered=buffered)


def tried(
    rows: Sequence[Row],
    gaps: Sequence[Interval] = (),
    books: Account | None = None,
    terms: Terms = TERMS,
) -> Verdict:
    return judge(answered(), Found(rows, gaps, {1: books or books_of(rows)}), terms)


def test_what_is_right_is_found_right() -> None:
    verdict = tried(stored(answered()))
    assert verdict.faultless
    assert (verdict.answers, verdict.rows) == (ANSWERS, ANSWERS)
    assert max(answer.values[STATE] for answer in answered()) > 3  # report-by-exception mattered


def test_an_answer_that_is_nowhere_is_lost_and_its_tick_unexplained() -> None:
    rows = stored(answered())
    without = [row for row in rows if row.values[NUMBER] != 50]
    verdict = tried(without)
    assert len(verdict.lost) == len(verdict.unexplained) == 1


@pytest.mark.parametrize(
    ("gap", "lost"),
    [
        (Interval(1, "timeout", BEGIN + 49 * STEP, BEGIN + 50 * STEP), 0),
        (Interval(None, "gateway_down", BEGIN + 40 * STEP, BEGIN + 90 * STEP), 0),
        (Interval(None, "gateway_silent", BEGIN + 40 * STEP, None), 1),
        (Interval(2, "timeout", BEGIN + 49 * STEP, BEGIN + 50 * STEP), 1),
        (Interval(1, "timeout", BEGIN + 52 * STEP, BEGIN + 60 * STEP), 1),
        (Interval(1, "timeout", BEGIN + 30 * STEP, BEGIN + 40 * STEP), 1),
    ],
)
def test_only_a_gap_of_the_device_at_its_time_excuses_it(gap: Interval, lost: int) -> None:
    rows = [row for row in stored(answered()) if row.values[NUMBER] != 50]
    verdict = tried(rows, [gap])
    assert (len(verdict.lost), len(verdict.unexplained)) == (lost, lost)


def test_an_answer_is_not_lost_if_its_tick_was_asked_for_again() -> None:
    answers = answered()
    rows = stored(answers)
    again = replace(answers[50], time_ms=answers[49].time_ms + 1)  # of the tick of answer 50
    rows = [*rows[:49], replace(rows[50], time_ms=rows[49].time_ms), *rows[51:]]
    found = Found(rows, (), {1: books_of(rows)})
    verdict = judge([*answers[:50], again, *answers[51:]], found, TERMS)
    assert not verdict.lost
    assert not verdict.off


def test_a_gap_that_ends_at_the_missed_tick_does_not_explain_it() -> None:
    rows = [row for row in stored(answered()) if row.values[NUMBER] != 50]
    missed = BEGIN + 49 * STEP
    assert len(tried(rows, [Interval(1, "gateway_down", missed - 9, missed)]).unexplained) == 1
    assert not tried(rows, [Interval(1, "gateway_down", missed - 9, missed + 1)]).unexplained


def test_a_gap_that_lasts_while_values_come_is_unexplained_and_excuses_no_more() -> None:
    rows = [row for row in stored(answered()) if row.values[NUMBER] not in {50, 60}]
    verdict = tried(rows, [Interval(None, "late", BEGIN + 49 * STEP, None)])
    assert len(verdict.lost) == 1
    assert len(verdict.unexplained) == 2  # the tick of answer 60, and the gap
    assert tried(
        stored(answered()), [Interval(1, "stopped", BEGIN + ANSWERS * STEP, None)]
    ).faultless


def test_a_state_that_was_dropped_and_never_sent_again_is_stale() -> None:
    answers = answered()
    rows = stored(answers)
    at = next(at for at in range(20, ANSWERS) if STATE in rows[at].values)
    gap = Interval(None, "disk", rows[at].time_ms, rows[at].time_ms + 1)
    verdict = tried(rows[:at] + rows[at + 1 :], [gap])
    assert not verdict.lost
    assert len(verdict.stale) >= 2
    assert all("state is held as" in line for line in verdict.stale if "level" not in line)


def test_a_value_within_its_deadband_is_not_stale() -> None:
    rows = stored(answered())
    assert any(LEVEL not in row.values for row in rows)
    assert not tried(rows).stale


def test_a_value_that_was_never_answered_is_off() -> None:
    rows = stored(answered())
    rows[30] = replace(rows[30], values={**rows[30].values, "n1": -1})
    assert len(tried(rows).off) == 1
    rows[40] = replace(rows[40], values={NUMBER: 9_999})
    assert len(tried(rows).off) == 2


def test_a_row_of_two_answers_is_off() -> None:
    rows = stored(answered())
    rows[30] = replace(rows[30], values=rows[31].values | {NUMBER: rows[30].values[NUMBER]})
    assert len(tried(rows).off) == 1


def test_a_time_that_is_not_the_answers_is_off_unless_it_is_doubted() -> None:
    rows = stored(answered())
    rows[-1] = replace(rows[-1], time_ms=rows[-1].time_ms + 3_600_000)
    assert len(tried(rows).off) == 1
    set_ahead = replace(TERMS, shifts=[(BEGIN, 3_600_000)])
    assert not tried(rows, terms=set_ahead).off
    other = replace(TERMS, shifts=[(BEGIN, 7_200_000)])
    assert len(tried(rows, terms=other).off) == 1
    rows[-1] = replace(rows[-1], doubted=frozenset(rows[-1].values))
    assert not tried(rows, terms=other).off


def test_an_answer_that_stands_at_two_times_is_off() -> None:
    rows = stored(answered())
    twice = replace(rows[30], time_ms=rows[30].time_ms + 1)
    assert len(tried([*rows, twice]).off) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"due": 1}, "due is not"),
        ({"suppressed": 1}, "ok is not"),
        ({"dropped": 4}, "buffered is not"),
        ({"due": 9_000, "skipped": 9_000}, "was there for"),
        ({"due": -600, "ok": -600, "suppressed": -600}, ": about"),
    ],
)
def test_books_that_do_not_balance_or_owe_too_much_are_found(
    change: dict[str, int], said: str
) -> None:
    rows = stored(answered())
    books = books_of(rows)
    for name, more in change.items():
        setattr(books, name, getattr(books, name) + more)
    (line,) = tried(rows, books=books).books
    assert said in line
