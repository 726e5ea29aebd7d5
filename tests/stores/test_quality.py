"""Values that are not GOOD: their status stays beside them, on every store."""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import pytest

from gateway.city.stores.api import Rows, Series, SeriesHours, Store
from gateway.core.status import GOOD, Reason, is_replay, uncertain
from tests.stores.cases import T0, rows, series

HOUR = 3_600_000
H0 = T0 // HOUR * HOUR
RANGE, FROZEN, DOUBT = (
    uncertain(reason) for reason in (Reason.RANGE, Reason.FROZEN, Reason.CLOCK_DOUBT)
)


async def test_a_status_is_read_back_with_its_value_and_is_no_value(
    store: Store, gateway: str
) -> None:
    of = series(gateway)
    table = rows(
        [T0, T0 + 1000],
        of=of,
        status=[[GOOD, RANGE, FROZEN], [DOUBT, GOOD, FROZEN]],
        speed=("f4", [1.5, 2.5]),
        pieces=("i8", [1, 2]),
        program=("O", ["a", "b"]),
    )
    assert await store.write([table]) == []
    assert await store.count([gateway], T0, T0 + 1001) == 6
    found = {name: (p.value, p.status) for name, p in (await store.latest(of)).items()}
    assert found == {"speed": (2.5, DOUBT), "pieces": (2, GOOD), "program": ("b", FROZEN)}
    for name, expected in {"speed": [GOOD, DOUBT], "pieces": [RANGE, GOOD]}.items():
        points = await store.history(of, name, T0, T0 + 2000, 10)
        assert [(p.time_ms, p.status) for p in points] == [
            (T0, expected[0]),
            (T0 + 1000, expected[1]),
        ]


async def test_the_newest_value_is_not_given_an_older_doubt(store: Store, gateway: str) -> None:
    of = series(gateway)
    await store.write([rows([T0], of=of, status=[[RANGE]], a=("f8", [1.0]))])
    await store.write([rows([T0 + 1000], of=of, a=("f8", [2.0]))])
    assert {n: p.status for n, p in (await store.latest(of)).items()} == {"a": GOOD}


async def test_thinned_history_keeps_the_status_of_the_values_it_shows(
    store: Store, gateway: str
) -> None:
    of = series(gateway)
    count = 200
    codes = [[DOUBT] if at % 3 else [GOOD] for at in range(count)]
    times = [T0 + at * 1000 for at in range(count)]
    values = ("f8", [float(at) for at in range(count)])
    await store.write([rows(times, of=of, status=codes, x=values)])
    points = await store.history(of, "x", T0, T0 + count * 1000, 50)
    assert 20 <= len(points) <= 50
    assert [p.status for p in points] == [codes[int(p.value)][0] for p in points]


@pytest.mark.parametrize(
    "codes", [(RANGE, GOOD), (GOOD, RANGE), (RANGE, FROZEN), (RANGE, GOOD, 90)]
)
async def test_of_values_at_one_time_the_last_one_holds_and_its_status(
    store: Store, gateway: str, codes: tuple[int, ...]
) -> None:
    of = series(gateway)
    for code in codes:
        status = None if code == GOOD else [[code, GOOD]]
        table = rows([T0], of=of, status=status, a=("f8", [1.0]), b=("i8", [1]))
        assert await store.write([table]) == []
    assert {n: p.status for n, p in (await store.latest(of)).items()} == {"a": codes[-1], "b": GOOD}
    assert [p.status for p in await store.history(of, "a", T0, T0 + 1, 9)] == [codes[-1]]
    assert await store.count([gateway], T0, T0 + 1) == 2
    (hour,) = await store.hours(gateway, T0, T0 + 1)
    assert hour.good == (2 if codes[-1] == GOOD else 1)


async def test_other_fields_of_a_time_keep_their_doubt(store: Store, gateway: str) -> None:
    of = series(gateway)
    await store.write([rows([T0], of=of, status=[[RANGE]], a=("f8", [1.0]))])
    assert await store.write([rows([T0], of=of, b=("i8", [2]))]) == []
    found = {name: p.status for name, p in (await store.latest(of)).items()}
    assert found == {"a": RANGE, "b": GOOD}


async def test_a_refused_value_leaves_no_status_behind(store: Store, gateway: str) -> None:
    of = series(gateway)
    table = rows([T0], of=of, status=[[RANGE, RANGE]], a=("f8", [1.0]), n=("f8", [float("nan")]))
    assert [r.values for r in await store.write([table])] == [1]
    await store.write([rows([T0], of=of, n=("f8", [1.0]))])
    found = {name: p.status for name, p in (await store.latest(of)).items()}
    assert found == {"a": RANGE, "n": GOOD}


async def test_a_refused_line_counts_its_values_only(influx: Store, gateway: str) -> None:
    bad = series(gateway, "ends-in-backslash\\")
    table = rows([T0], of=bad, status=[[RANGE, GOOD]], a=("f8", [1.0]), b=("f8", [1.0]))
    assert [r.values for r in await influx.write([table])] == [2]


async def test_hours_of_nothing(store: Store, gateway: str) -> None:
    assert await store.hours(gateway, H0, H0 + 2 * HOUR) == []
    await store.write([rows([H0 + 5], of=series("other-" + gateway), a=("f8", [1.0]))])
    assert await store.hours(gateway, H0, H0 + 2 * HOUR) == []


async def test_the_ends_of_the_span_cut_hours(store: Store, gateway: str) -> None:
    of = series(gateway)
    times = [H0 - 1, H0, H0 + HOUR - 1, H0 + HOUR]
    await store.write([rows(times, of=of, a=("f8", [1.0] * 4))])
    assert await store.hours(gateway, H0, H0 + HOUR) == [
        SeriesHours(of, H0, 2, 0, 0, 0, H0, H0 + HOUR - 1)
    ]
    found = await store.hours(gateway, H0 - HOUR, H0 + HOUR + 1)
    assert [(one.hour_ms, one.good) for one in found] == [(H0 - HOUR, 1), (H0, 2), (H0 + HOUR, 1)]


@pytest.mark.parametrize("seed", range(4))
async def test_hours_are_those_of_what_was_written(store: Store, gateway: str, seed: int) -> None:
    tables = list(_tables(random.Random(seed), gateway))
    for table in tables:
        assert await store.write([table]) == []
    found = await store.hours(gateway, H0, H0 + 4 * HOUR)
    assert sorted(found, key=_key) == sorted(_expected(tables), key=_key)
    counted = await store.count([gateway], H0, H0 + 4 * HOUR)
    assert counted == sum(h.good + h.uncertain + h.replayed + h.doubted for h in found)


def _key(one: SeriesHours) -> tuple[str, str, int]:
    return one.series.measurement, one.series.equipment, one.hour_ms


def _tables(chance: random.Random, gateway: str) -> Iterable[Rows]:
    """Tables of three machines of two profiles; some times are written twice."""
    kinds = {"f8": 1.5, "i8": 2, "?": True, "O": "text"}
    name = gateway.replace("-", "_")  # the types of fields must not meet those of other tests
    for _ in range(12):
        asset = chance.choice(["B-001", "B-002", "B-003"])
        profile = "press" if asset == "B-003" else "saw"
        of = replace(series(gateway, asset), measurement=f"{profile}_{name}")
        times = sorted(H0 + chance.randrange(4 * 12) * 300_000 for _ in range(20))
        times = sorted(set(times))
        fields = chance.sample(sorted(kinds), chance.randint(1, 4))
        codes = [GOOD, GOOD, RANGE, FROZEN, DOUBT, uncertain(Reason.SUBSTITUTE)]
        yield rows(
            times,
            of=of,
            present=[[chance.random() < 0.8 for _ in fields] for _ in times],
            status=chance.choice([None, [[chance.choice(codes) for _ in fields] for _ in times]]),
            **{
                f"t_{kind}".replace("?", "b"): (kind, [kinds[kind]] * len(times)) for kind in fields
            },
        )


def _expected(tables: Iterable[Rows]) -> list[SeriesHours]:
    """What the last one of all values at a series, time and field says."""
    cells: dict[tuple[Series, int, str], int] = {}
    for table in tables:
        for at, time in enumerate(table.time_ms.tolist()):
            for field, name in enumerate(table.fields):
                if table.present[at, field]:
                    code = GOOD if table.status is None else int(table.status[at, field])
                    cells[table.series, time, name] = code
    hours: dict[tuple[Series, int], list[tuple[int, int]]] = {}
    for (of, time, _), code in cells.items():
        hours.setdefault((of, time // HOUR * HOUR), []).append((time, code))
    return [_hour(of, hour, values) for (of, hour), values in hours.items()]


def _hour(of: Series, hour: int, values: list[tuple[int, int]]) -> SeriesHours:
    kinds = Counter(
        "good"
        if code == GOOD
        else "replayed"
        if is_replay(code)
        else "doubted"
        if code == DOUBT
        else "uncertain"
        for _, code in values
    )
    times = [time for time, _ in values]
    numbers = (kinds[kind] for kind in ("good", "uncertain", "replayed", "doubted"))
    return SeriesHours(of, hour, *numbers, min(times), max(times))
