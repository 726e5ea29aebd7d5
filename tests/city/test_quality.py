"""What is not GOOD is stored and is no evidence, from the broker to the rate."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.city.app import City
from gateway.city.db.tables import watermark
from gateway.city.evidence.samples import Sample, merged, samples
from gateway.city.ingest.layout import batch_rows, change_rows, layout_of
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.model import Definition
from gateway.city.rates.reasons import Reason as RateReason
from gateway.city.rates.reports.drilldown import machine_facts
from gateway.core.batch import Batch, Changes
from gateway.core.days import day_of, day_start_ms
from gateway.core.schema import Schema
from gateway.core.status import GOOD, Quality, Reason, is_replay, quality_of, uncertain
from tests.support.broker import Mosquitto
from tests.support.city import USCC, city_on, proofs_of, rows_of, schema_of, sender, system_ms
from tests.support.city_db import add_machine

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
ALL_DAY = 2**24 - 1
MIDNIGHT = day_start_ms(date(2025, 10, 9))
REPLAYED = uncertain(Reason.LAST_USABLE)
DOUBTED = uncertain(Reason.CLOCK_DOUBT)
STATUSES = (GOOD, uncertain(Reason.RANGE), REPLAYED, uncertain(Reason.FROZEN), DOUBTED)


def batch_with(schema: Schema, time_ms: int, *status: int) -> Batch:
    ones = np.ones(len(schema.tags))
    present, codes = ones.astype(np.bool_), np.array(status, np.uint8)
    return Batch(schema, time_ms, present, (ones,), codes)


Value = tuple[int, int, int]
"""Tag, time, status."""


Masks = tuple[int, ...]


def slow_masks(values: list[Value], now_ms: int) -> dict[int, Masks]:
    """Good, uncertain, replayed and doubted hours by day, value by value."""
    found: dict[int, list[int]] = {}
    for _, time, code in values:
        day, within = divmod(time + 8 * HOUR_MS, DAY_MS)
        is_today = day == (now_ms + 8 * HOUR_MS) // DAY_MS
        if code == DOUBTED:
            kind = 0 if is_today else 3
        else:
            kind = 2 if is_replay(code) else int(quality_of(code) is Quality.UNCERTAIN)
        found.setdefault(day, [0, 0, 0, 0])[kind] |= 1 << within // HOUR_MS
    return {day: tuple(masks) for day, masks in found.items()}


def masks_of(found: list[Sample]) -> dict[int, Masks]:
    return {
        (day_start_ms(one.day) + 8 * HOUR_MS) // DAY_MS: (
            one.good_hours,
            one.uncertain_hours,
            one.replayed_hours,
            one.doubted_hours,
        )
        for one in found
    }


TIMES = st.integers(0, 71).map(lambda hour: MIDNIGHT + hour * HOUR_MS + 7)


@given(st.dictionaries(st.tuples(st.integers(0, 2), TIMES), st.sampled_from(STATUSES), min_size=1))
def test_hours_are_those_of_a_slow_count(cells: dict[tuple[int, int], int]) -> None:
    schema, now_ms = schema_of("a", "b", "c"), MIDNIGHT + 3 * DAY_MS - 1
    values = [(tag, time, code) for (tag, time), code in sorted(cells.items())]
    layout = layout_of("gw-1", schema)
    index, times, codes = (np.array(column) for column in zip(*values, strict=True))
    changes = Changes(
        schema, index.astype("<u4"), times, (np.ones(len(index)),), codes.astype(np.uint8)
    )
    by_time: dict[int, dict[int, int]] = {}
    for tag, time, code in values:
        by_time.setdefault(time, {})[tag] = code
    batches = []
    for time, held in by_time.items():
        present = np.array([tag in held for tag in range(3)])
        status = np.array([held.get(tag, 0xFF) for tag in range(3)], np.uint8)
        batches.append(Batch(schema, time, present, (np.ones(3),), status))
    for tables in (change_rows(layout, changes), batch_rows(layout, batches)):
        found = merged(s for rows in tables for s in samples(schema, rows, Counter(), now_ms))
        assert masks_of(found) == slow_masks(values, now_ms)
        assert sum(one.count for one in found) == len(values)
        assert all((rows.status is None) or (rows.status != GOOD).any() for rows in tables)


def test_a_status_stays_with_its_machine() -> None:
    """The machine whose values are all GOOD pays nothing for its neighbour."""
    schema = schema_of("a", "b", assets=("M-1", "M-2"))
    batch = batch_with(schema, MIDNIGHT, GOOD, GOOD, GOOD, REPLAYED)
    one, other = batch_rows(layout_of("gw-1", schema), [batch])
    assert one.status is None
    assert other.status is not None
    assert other.status.tolist() == [[GOOD, REPLAYED]]


def test_a_refused_value_may_have_been_the_good_one() -> None:
    schema = schema_of("a", "b")
    (rows,) = batch_rows(layout_of("gw-1", schema), [batch_with(schema, MIDNIGHT, GOOD, REPLAYED)])
    (kept,) = samples(schema, rows, Counter({(rows.series, MIDNIGHT): 1}), MIDNIGHT)
    assert (kept.count, kept.good_hours, kept.replayed_hours) == (1, 0, 1)


@pytest.mark.parametrize(
    ("status", "refused", "hours"),
    [
        (GOOD, 0, 1),
        (DOUBTED, 0, 1),
        (REPLAYED, 0, 0),
        (uncertain(Reason.RANGE), 0, 0),
        (GOOD, 1, 0),
    ],
)
def test_ahead_of_the_city_only_stored_values_without_other_doubts_wait_to_be_good(
    status: int, refused: int, hours: int
) -> None:
    """What waits there becomes GOOD evidence when the clock is confirmed."""
    schema = schema_of("a")
    (rows,) = batch_rows(layout_of("gw-1", schema), [batch_with(schema, MIDNIGHT, status)])
    lost = Counter({(rows.series, MIDNIGHT): refused})
    found = samples(schema, rows, lost, MIDNIGHT - HOUR_MS)
    assert sum(one.doubted_hours for one in found) == hours


async def test_a_dead_machine_behind_a_caching_server_is_not_networked(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """One repeats its last values all day, one says UNCERTAIN, one is well for a moment."""
    assets = ("M-1", "M-2", "M-3")
    schema, at = schema_of("speed", assets=assets), system_ms()
    yesterday = day_of(at) - timedelta(days=1)
    hours = [day_start_ms(yesterday) + hour * HOUR_MS for hour in range(24)]
    out_of_range = uncertain(Reason.RANGE)
    batches = [
        batch_with(schema, hour, REPLAYED, out_of_range, GOOD if hour == hours[9] else REPLAYED)
        for hour in hours
    ]
    async with city_on(mosquitto.url, tmp_path, "gw-1") as city:
        machines = [city.database.run_now(add_machine, USCC, asset) for asset in assets]
        async with sender(mosquitto.port, "gw-1") as gateway:
            await gateway.send(1, schema, *batches)
            await gateway.acked(1)
        numbers = rows_of(city, watermark)
        assert numbers[0]["values_committed"] == 24 * 3
        stored = Counter[tuple[str, str]]()
        for one in await city.store.hours("gw-1", hours[0], hours[0] + DAY_MS):
            for kind in ("good", "uncertain", "replayed", "doubted"):
                stored[one.series.equipment, kind] += getattr(one, kind)
        assert +stored == {
            ("M-1", "replayed"): 24,
            ("M-2", "uncertain"): 24,
            ("M-3", "replayed"): 23,
            ("M-3", "good"): 1,
        }
        held = {one["machine_id"]: one for one in await proofs_of(city)}
        names = ("good_hours", "uncertain_hours", "replayed_hours")
        assert [tuple(held[one][name] for name in names) for one in machines] == [
            (0, 0, ALL_DAY),
            (0, ALL_DAY, 0),
            (1 << 9, 0, ALL_DAY & ~(1 << 9)),
        ]
        assert verdicts(city, yesterday, builtin_definitions()) == {
            "M-1": RateReason.UNCERTAIN_ONLY,
            "M-2": RateReason.UNCERTAIN_ONLY,
            "M-3": RateReason.NETWORKED,
        }
        lenient = builtin_definitions()["ENR-B"].model_copy(update={"count_uncertain": True})
        assert verdicts(city, yesterday, {"ENR-B": lenient}) == {
            "M-1": RateReason.UNCERTAIN_ONLY,
            "M-2": RateReason.NETWORKED,
            "M-3": RateReason.NETWORKED,
        }


def verdicts(city: City, day: date, known: Mapping[str, Definition]) -> dict[str, RateReason]:
    """Why each machine with a status counts or not in the month of a day."""
    found = city.database.run_now(
        lambda connection: machine_facts(
            connection,
            "ENR-B",
            f"{day:%Y-%m}",
            city.now_ms(),
            demonstration=False,
            definitions=known,
        )
    )
    return {one.asset_no: one.reason for one in found if one.status is not None}
