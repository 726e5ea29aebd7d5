"""The same cases on every store: embedded, the 2.x contract server, a real 1.x, a real 2.x."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.city.stores.api import (
    Store,
    StoreError,
    StoreMisconfiguredError,
    StoreUnavailableError,
)
from gateway.city.stores.embedded import EmbeddedStore
from tests.stores.cases import T0, rows, series


async def test_what_is_written_is_counted_and_read_back(store: Store, gateway: str) -> None:
    of = series(gateway)
    refused = await store.write(
        [
            rows(
                [T0, T0 + 1000],
                of=of,
                speed=("f4", [0.1, 1e-30]),
                pieces=("i8", [2**53 + 1, -5]),
                running=("?", [True, False]),
                program=("O", ['O"1\\\n', "乙"]),
            )
        ]
    )
    assert refused == []
    assert await store.count([gateway], T0, T0 + 1001) == 8
    assert await store.count([gateway], T0 + 1, T0 + 1000) == 0
    assert await store.count([gateway], T0, T0 + 1000) == 4
    assert await store.count(["somebody-else"], T0, T0 + 1001) == 0
    latest = await store.latest(of)
    assert {name: (p.time_ms, p.value) for name, p in latest.items()} == {
        "speed": (T0 + 1000, 1e-30),
        "pieces": (T0 + 1000, -5),
        "running": (T0 + 1000, False),
        "program": (T0 + 1000, "乙"),
    }
    history = await store.history(of, "pieces", T0, T0 + 1000, 10)
    assert [(p.time_ms, p.value) for p in history] == [(T0, 2**53 + 1)]


async def test_writing_again_changes_nothing_and_other_fields_join(
    store: Store, gateway: str
) -> None:
    of = series(gateway)
    first = rows([T0], of=of, a=("f8", [1.5]), b=("i8", [1]))
    for _ in range(3):
        assert await store.write([first]) == []
    assert await store.count([gateway], T0, T0 + 1) == 2
    await store.write([rows([T0], of=of, b=("i8", [2]), c=("?", [True]))])
    assert await store.count([gateway], T0, T0 + 1) == 3
    values = {name: point.value for name, point in (await store.latest(of)).items()}
    assert values == {"a": 1.5, "b": 2, "c": True}


async def test_latest_looks_at_each_field_alone(store: Store, gateway: str) -> None:
    of = series(gateway)
    both, one = (
        rows([T0], of=of, v=("f8", [1.0]), w=("f8", [2.0])),
        rows([T0 + 5], of=of, v=("f8", [3.0])),
    )
    assert await store.write([both]) == await store.write([one]) == []
    found = {name: (p.time_ms, p.value) for name, p in (await store.latest(of)).items()}
    assert found == {"v": (T0 + 5, 3.0), "w": (T0, 2.0)}
    assert {type(value) for _, value in found.values()} == {float}
    assert await store.latest(series(gateway, "unknown")) == {}


async def test_a_field_is_counted_whatever_its_type_elsewhere(store: Store, gateway: str) -> None:
    kinds = {
        "press": ("f8", [1.5]),
        "saw": ("i8", [2]),
        "lathe": ("?", [True]),
        "kiln": ("O", ["a"]),
    }
    machines = [
        (replace(series(gateway, asset), measurement=f"{asset}_{gateway}".replace("-", "_")), kind)
        for asset, kind in kinds.items()
    ]
    tables = [rows([T0], of=machine, level=kind) for machine, kind in machines]
    assert not await store.write(tables)
    assert await store.count([gateway], T0, T0 + 1) == len(kinds)


@pytest.mark.parametrize("asset", ["1#注塑机", "a,b=c", "数控 01", "A\\1", "A\\,1", "'x\"", "${y}"])
async def test_a_machine_is_found_by_any_number(store: Store, gateway: str, asset: str) -> None:
    of = series(gateway, asset)
    assert not await store.write([rows([T0], of=of, a=("f8", [1.5]))])
    assert {name: point.value for name, point in (await store.latest(of)).items()} == {"a": 1.5}
    assert [one.value for one in await store.history(of, "a", T0, T0 + 1, 10)] == [1.5]
    assert {one.series for one in await store.hours(gateway, T0, T0 + 1)} == {of}


async def test_history_is_thinned(store: Store, gateway: str) -> None:
    of = series(gateway)
    times = [T0 + i * 1000 for i in range(200)]
    await store.write([rows(times, of=of, x=("f8", [float(i) for i in range(200)]))])
    points = await store.history(of, "x", T0, T0 + 200_000, 50)
    assert 20 <= len(points) <= 50
    assert [p.time_ms for p in points] == sorted({p.time_ms for p in points})
    assert all(T0 <= p.time_ms < T0 + 200_000 and 0 <= p.value < 200 for p in points)
    assert points[-1].value == 199.0
    assert len(await store.history(of, "x", T0, T0 + 10_000, 50)) == 10


async def test_what_no_store_takes_is_refused_and_the_rest_written(
    store: Store, gateway: str
) -> None:
    of = series(gateway)
    table = rows([T0, T0 + 1], of=of, a=("f8", [1.0, 2.0]), n=("f8", [float("nan"), 3.0]))
    refused = await store.write([table])
    assert [(r.time_ms, r.values) for r in refused] == [(T0, 1)]
    assert await store.count([gateway], T0, T0 + 2) == 3


async def test_a_conflicting_type_is_refused_and_the_rest_written(
    store: Store, gateway: str
) -> None:
    field = "t" + gateway.replace("-", "")
    of = series(gateway)
    await store.write([rows([T0], of=of, **{field: ("f8", [1.0])})])
    tables = [rows([T0 + i], of=of, ok=("i8", [i])) for i in range(1, 6)]
    bad = rows([T0 + 9], of=of, **{field: ("i8", [1])})
    refused = await store.write([*tables[:3], bad, *tables[3:]])
    assert [(r.series, r.time_ms, r.values) for r in refused] == [(of, T0 + 9, 1)]
    assert "type conflict" in refused[0].reason
    assert field in refused[0].line
    assert await store.count([gateway], T0, T0 + 10) == 6


async def test_a_line_that_the_server_cannot_parse_is_refused_alone(
    influx: Store, gateway: str
) -> None:
    """Admission keeps such names out; if one came through, only its line is lost."""
    good, bad = series(gateway), series(gateway, "ends-in-backslash\\")
    tables = [rows([T0 + i], of=good, ok=("i8", [i])) for i in range(7)]
    refused = await influx.write([*tables[:2], rows([T0], of=bad, ok=("i8", [1])), *tables[2:]])
    assert [(r.series, r.values) for r in refused] == [(bad, 1)]
    assert refused[0].reason.startswith("400 ")
    assert await influx.count([gateway], T0, T0 + 10) == 7


async def test_embedded_survives_reopening_and_trims(tmp_path: Path) -> None:
    made = EmbeddedStore(tmp_path / "deep" / "telemetry.db")
    await made.open()
    await made.write([rows([T0, T0 + 1, T0 + 2], a=("f8", [1.0, 2.0, 3.0]))])
    await made.close()
    with pytest.raises(StoreUnavailableError, match="not open"):
        await made.write([rows([T0], a=("f8", [1.0]))])
    await made.open()
    assert await made.trim(T0 + 2) == 2
    assert await made.count(["gw-1"], 0, 2**62) == 1
    await made.close()


def names_in(folder: Path) -> list[str]:
    """What lies in a folder."""
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize(("version", "written_by"), [(2, "an older"), (99, "a newer")])
async def test_embedded_refuses_a_file_of_another_version_and_leaves_it(
    tmp_path: Path, version: int, written_by: str
) -> None:
    path = tmp_path / "telemetry.db"
    made = EmbeddedStore(path)
    await made.open()
    await made.write([rows([T0], a=("f8", [1.0]))])
    await made.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute(f"PRAGMA user_version = {version}")
    before = path.read_bytes()
    with pytest.raises(
        StoreMisconfiguredError, match=rf"telemetry\.db was written by {written_by}"
    ):
        await made.open()
    assert path.read_bytes() == before
    assert names_in(tmp_path) == ["telemetry.db"]


async def test_embedded_refuses_a_file_of_another_kind(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_bytes(b"this is no database at all" * 100)
    foreign = tmp_path / "foreign.db"
    with closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE points (x)")
    for path in (text, foreign):
        before = path.read_bytes()
        with pytest.raises(StoreError, match=path.name):
            await EmbeddedStore(path).open()
        assert path.read_bytes() == before


async def test_embedded_says_that_its_file_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    made = EmbeddedStore(path)
    await made.open()
    await made.write([rows([T0 + i for i in range(5_000)], a=("f8", [0.5] * 5_000))])
    await made.close()
    content = path.read_bytes()
    path.write_bytes(content[:8_192] + bytes(len(content) - 8_192))
    await made.open()
    with pytest.raises(StoreMisconfiguredError, match=r"telemetry\.db is damaged: .*restore it"):
        await made.write([rows([T0 + 7], a=("f8", [1.0]))])
    await made.close()


async def test_embedded_finds_a_field_that_has_been_silent_for_long(tmp_path: Path) -> None:
    hour = 3_600_000
    made = EmbeddedStore(tmp_path / "telemetry.db")
    await made.open()
    await made.write([rows([T0, T0 + 7], rare=("f8", [1.0, 2.0]), often=("f8", [3.0, 4.0]))])
    times = [T0 + 10 + i * 20_000 for i in range(2_000)]
    await made.write([rows(times, often=("f8", [float(i) for i in range(2_000)]))])
    await made.write([rows([T0 - 2 * hour], rare=("f8", [0.0]))])  # a backlog comes late
    found = {n: (p.time_ms, p.value) for n, p in (await made.latest(series())).items()}
    assert found == {"rare": (T0 + 7, 2.0), "often": (times[-1], 1999.0)}
    await made.trim(T0 + 8)
    assert (await made.latest(series())).keys() == {"often"}
    await made.close()


async def test_embedded_keeps_the_type_of_a_field_over_a_restart_until_it_is_trimmed(
    tmp_path: Path,
) -> None:
    made = EmbeddedStore(tmp_path / "telemetry.db")
    await made.open()
    await made.write([rows([T0], present=[[True, False]], a=("f8", [1.0]), b=("?", [True]))])
    await made.close()
    await made.open()
    other = series(asset="B-002")
    refused = await made.write([rows([T0 + 1], of=other, a=("i8", [1]), b=("i8", [2]))])
    assert [(r.time_ms, r.values, r.line) for r in refused] == [(T0 + 1, 1, "a")]
    assert {n: p.value for n, p in (await made.latest(other)).items()} == {"b": 2}
    later = T0 + 10 * 3_600_000
    await made.trim(later)
    assert await made.write([rows([later], of=other, a=("i8", [1]))]) == []
    await made.close()
