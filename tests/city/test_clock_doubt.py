"""Values in clock doubt count once their gateway's clock is confirmed, whatever comes first."""

from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, select

from gateway.city.app import City
from gateway.city.db.schema.clock import confirmed_clock, doubted_evidence
from gateway.city.db.tables import evidence, machine
from gateway.city.db.tables import gateway as gateway_table
from gateway.city.evidence.clock_doubt import (
    hours_within,
    keep_doubted,
    keep_spans,
    merge_doubts,
    tidy,
)
from gateway.city.evidence.samples import Sample
from gateway.city.ledger.names import MachineName
from gateway.city.presence.clocks import Clocks, right_span
from gateway.core.days import DAY_MS, HOUR_MS, MAX_AHEAD_MS, day_of, day_start_ms
from gateway.core.schema import Schema
from gateway.core.status import Reason, uncertain
from gateway.relational.database import Database
from gateway.wire.messages import State
from tests.city.test_quality import batch_with
from tests.support.broker import Mosquitto
from tests.support.city import city_on, proofs_of, rows_of, schema_of, sender, system_ms
from tests.support.city_db import add_enterprise
from tests.support.waiting import until

DAY = date(2026, 10, 9)
MIDNIGHT = day_start_ms(DAY)
DOUBTED = uncertain(Reason.CLOCK_DOUBT)


# -- pure ---------------------------------------------------------------------------------


def test_a_clock_that_agrees_was_right_since_it_was_set_last() -> None:
    now_ms = MIDNIGHT
    for apart_ms in (-MAX_AHEAD_MS, 0, MAX_AHEAD_MS):
        state = State(True, now_ms + apart_ms, steady_since_ms=5)
        assert right_span(state, now_ms) == (5, now_ms + apart_ms)


@pytest.mark.parametrize(
    "state",
    [
        State(True, MIDNIGHT),  # does not know since when it only ran
        State(True, MIDNIGHT, steady_since_ms=MIDNIGHT + 1),
        State(True, MIDNIGHT - MAX_AHEAD_MS - 1, steady_since_ms=5),
        State(True, MIDNIGHT + MAX_AHEAD_MS + 1, steady_since_ms=5),
        State(False),  # a last will
    ],
)
def test_a_clock_of_which_nothing_can_be_said(state: State) -> None:
    assert right_span(state, MIDNIGHT) is None


def test_little_is_written_of_a_gateway_that_is_in_no_doubt() -> None:
    clocks = Clocks()
    written = []
    for at, in_doubt in enumerate((True, True, False, False, False)):
        time_ms = MIDNIGHT + at
        state = State(True, time_ms, steady_since_ms=5, clock_doubt=in_doubt)
        clocks.heard("gw-1", state, time_ms)
        written.append(clocks.unwritten())
    spans = [{"gw-1": (5, MIDNIGHT + at)} for at in range(3)]
    assert written == [*spans, {}, {}]


def test_what_could_not_be_written_is_written_later() -> None:
    clocks = Clocks()
    clocks.heard("gw-1", State(True, 9, steady_since_ms=5), 9)
    clocks.put_back(clocks.unwritten())
    clocks.heard("gw-2", State(True, 9, steady_since_ms=7), 9)
    assert clocks.unwritten() == {"gw-1": (5, 9), "gw-2": (7, 9)}


TIMES = st.lists(st.integers(0, DAY_MS - 1), min_size=1)
SPANS = st.lists(st.tuples(st.integers(-DAY_MS, DAY_MS), st.integers(0, 2 * DAY_MS)), max_size=3)


@given(TIMES, SPANS)
def test_no_hour_counts_of_which_a_value_was_outside(
    times: list[int], given_spans: list[tuple[int, int]]
) -> None:
    spans = [(MIDNIGHT + first, MIDNIGHT + first + length) for first, length in given_spans]
    row = SimpleNamespace(
        day=DAY,
        hours=sum(1 << hour for hour in {time // HOUR_MS for time in times}),
        first_ms=MIDNIGHT + min(times),
        last_ms=MIDNIGHT + max(times),
    )
    found = hours_within(row, spans)
    assert found & ~row.hours == 0
    for time in times:
        if found >> (time // HOUR_MS) & 1:
            assert any(first <= MIDNIGHT + time <= last for first, last in spans)
    if any(first <= row.first_ms and row.last_ms <= last for first, last in spans):
        assert found == row.hours


# -- the tables ---------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def gateway_and_machine(request: pytest.FixtureRequest) -> None:
    if "database" in request.fixturenames:
        request.getfixturevalue("database").run_now(_gateway_and_machine)


def _gateway_and_machine(connection: Connection) -> None:
    add_enterprise(connection, "91330822MA0000015W")
    row = {
        "id": "gw-1",
        "uscc": "91330822MA0000015W",
        "site_no": "1",
        "enrolled_ms": 1,
        "partition": 0,
    }
    connection.execute(insert(gateway_table).values(row))
    connection.execute(insert(machine).values(id=7, named_ms=1))


def doubted(first_hour: int, last_hour: int, day: date = DAY) -> Sample:
    """A value in doubt in the middle of each of these hours."""
    hours = range(first_hour, last_hour + 1)
    middle = day_start_ms(day) + HOUR_MS // 2
    return Sample(
        MachineName("91330822MA0000015W", "1", "B-001"),
        day,
        "controller",
        False,
        "gw-1",
        len(hours),
        middle + first_hour * HOUR_MS,
        middle + last_hour * HOUR_MS,
        good_hours=0,
        doubted_hours=sum(1 << hour for hour in hours),
    )


def good_hours(database: Database, day: date = DAY) -> int:
    query = select(evidence.c.good_hours).where(evidence.c.day == day)
    return database.run_now(lambda c: c.scalar(query)) or 0


def left(database: Database) -> list[int]:
    return database.run_now(lambda c: list(c.scalars(select(doubted_evidence.c.hours))))


def from_hour(hour: int) -> tuple[int, int]:
    return MIDNIGHT + hour * HOUR_MS, MIDNIGHT + 2 * DAY_MS


def test_doubt_that_ends_later(database: Database) -> None:
    database.run_now(keep_doubted, [(7, doubted(8, 10)), (7, doubted(9, 12))], DAY)
    assert (good_hours(database), left(database)) == (0, [0b11111 << 8])
    database.run_now(keep_spans, {"gw-1": from_hour(10)}, DAY)
    assert (good_hours(database), left(database)) == (0b111 << 10, [0b11 << 8])
    database.run_now(keep_spans, {"gw-1": from_hour(8)}, DAY)
    assert (good_hours(database), left(database)) == (0b11111 << 8, [])


def test_doubt_that_had_ended_before(database: Database) -> None:
    database.run_now(keep_spans, {"gw-1": from_hour(8)}, DAY)
    database.run_now(keep_doubted, [(7, doubted(8, 10))], DAY)
    assert (good_hours(database), left(database)) == (0b111 << 8, [])


def test_a_gateway_that_is_started_again_and_again_leaves_one_span(database: Database) -> None:
    for minute in range(3):
        begin_ms = MIDNIGHT + minute * MAX_AHEAD_MS
        database.run_now(keep_spans, {"gw-1": (begin_ms, begin_ms + 10)}, DAY)
    database.run_now(keep_spans, {"gw-1": (MIDNIGHT + DAY_MS, MIDNIGHT + DAY_MS + 10)}, DAY)
    query = select(confirmed_clock.c.from_ms, confirmed_clock.c.to_ms).order_by("from_ms")
    assert [tuple(row) for row in database.run_now(lambda c: c.execute(query).all())] == [
        (MIDNIGHT, MIDNIGHT + 2 * MAX_AHEAD_MS + 10),
        (MIDNIGHT + DAY_MS, MIDNIGHT + DAY_MS + 10),
    ]


def test_what_two_workers_wrote_past_each_other_is_found(database: Database) -> None:
    database.run_now(keep_doubted, [(7, doubted(8, 10))], DAY)
    span = {"gateway": "gw-1", "from_ms": MIDNIGHT, "to_ms": MIDNIGHT + DAY_MS}
    database.run_now(lambda c: c.execute(insert(confirmed_clock).values(span)))
    database.run_now(tidy, MIDNIGHT, DAY)
    assert (good_hours(database), left(database)) == (0b111 << 8, [])


def test_doubts_go_with_their_machine(database: Database) -> None:
    database.run_now(lambda c: c.execute(insert(machine).values(id=8, named_ms=1)))
    database.run_now(keep_doubted, [(7, doubted(8, 10)), (8, doubted(9, 12))], DAY)
    database.run_now(merge_doubts, 8, 7)
    assert left(database) == [0b11111 << 8]


def test_doubts_of_long_ago_are_forgotten(database: Database) -> None:
    database.run_now(keep_doubted, [(7, doubted(8, 10))], DAY)
    database.run_now(keep_spans, {"gw-1": (5, 9)}, DAY)
    database.run_now(tidy, MIDNIGHT + 2 * DAY_MS, DAY)
    assert (good_hours(database), left(database)) == (0, [])
    assert not database.run_now(lambda c: c.execute(select(confirmed_clock)).all())


# -- through the broker -------------------------------------------------------------------


@pytest.mark.parametrize("state_first", [True, False])
async def test_a_week_of_a_clock_that_nobody_confirmed_counts(
    mosquitto: Mosquitto, tmp_path: Path, state_first: bool
) -> None:
    """The city was away for a week; the gateway had no other source of time."""
    schema, now_ms = schema_of("speed"), system_ms()
    days = [day_of(now_ms) - timedelta(days=ago) for ago in range(7, 0, -1)]
    async with (
        city_on(mosquitto.url, tmp_path, "gw-1") as city,
        sender(mosquitto.port, "gw-1") as gateway,
    ):
        steady_ms = day_start_ms(days[1])  # on the first day somebody set it
        state = {"time_ms": now_ms, "steady_since_ms": steady_ms, "clock_doubt": True}
        if state_first:
            await gateway.state(**state)
            await until(lambda: rows_of(city, confirmed_clock))
        await gateway.send(1, schema, *_one_a_day(schema, days))
        ack = await gateway.acked(1)
        assert abs(ack.time_ms - system_ms()) < MAX_AHEAD_MS
        if not state_first:
            assert not any((await _good_days(city)).values())
            await gateway.state(**state)
        wanted = dict.fromkeys(days[1:], True)

        async def counted() -> bool:
            return await _good_days(city) == wanted

        await until(counted)


async def test_a_clock_that_contradicts_the_city_confirms_nothing(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    schema, now_ms = schema_of("speed"), system_ms()
    yesterday = day_of(now_ms) - timedelta(days=1)
    async with (
        city_on(mosquitto.url, tmp_path, "gw-1") as city,
        sender(mosquitto.port, "gw-1") as gateway,
    ):
        await gateway.state(time_ms=now_ms - 2 * HOUR_MS, steady_since_ms=5, clock_doubt=True)
        await until(lambda: city.live.gateways()["gw-1"].state)
        await gateway.send(1, schema, *_one_a_day(schema, [yesterday, day_of(now_ms)], now_ms))
        await gateway.acked(1)
        # what comes on the day that it names is believed all the same
        assert await _good_days(city) == {day_of(now_ms): True}


def _one_a_day(schema: Schema, days: list[date], latest_ms: int = 2**62) -> list[object]:
    times = [min(day_start_ms(day) + 12 * HOUR_MS, latest_ms) for day in days]
    return [batch_with(schema, time_ms, DOUBTED) for time_ms in times]


async def _good_days(city: City) -> dict[date, bool]:
    return {row["day"]: bool(row["good_hours"]) for row in await proofs_of(city)}
