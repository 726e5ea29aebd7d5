"""Values are read from a real store and compared; the command says what to check."""

import asyncio
import json
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from edge_config.points.ranges import built_in_ranges
from gateway.city.access.principal import EVERYTHING
from gateway.city.evidence.auditing.values import stored_values
from gateway.city.rates.findings.kept.listing import Wanted, listed
from gateway.city.stores.api import Rows, Series, Store
from gateway.city.stores.embedded import EmbeddedStore
from gateway.cli.main import build
from gateway.core.days import DAY_MS, day_start_ms
from gateway.relational.database import Database
from tests.evidence.test_audit import DAY, city, store
from tests.rates.test_values import Values, current, temperature
from tests.support.city import USCC, city_file

__all__ = ["city", "store"]
NEXT = DAY + timedelta(days=1)


def rows(asset: str, device: str, day: date, seed: int, *, late_s: int = 0) -> Rows:
    """A value a minute of two tags, and a text."""
    series = Series("grinder", USCC, "1", "gw-1", device, asset)
    times = day_start_ms(day) + np.arange(1_440, dtype=np.int64) * 60_000 + late_s * 1000
    times = times[times < day_start_ms(day) + DAY_MS]
    columns: list[Values] = [temperature(seed), current(seed)]
    held = tuple(one[: len(times), None] for one in columns)
    return Rows(series, ("t", "i"), times, held, np.ones((len(times), 2), np.bool_))


async def test_values_are_read_as_they_were_measured(city: Database, store: Store) -> None:
    await store.write([rows("B-1", "d-1", DAY, 1), rows("B-2", "d-2", DAY, 2)])
    await store.write([rows("B-1", "d-1", DAY, 1)])  # sent again
    found = {
        (one.series.equipment, one.field): one.values
        async for one in stored_values(city, store, USCC, [DAY, NEXT])
    }
    assert found.keys() == {(asset, tag) for asset in ("B-1", "B-2") for tag in ("t", "i")}
    assert np.array_equal(found["B-1", "t"], temperature(1))
    assert np.array_equal(found["B-2", "i"], current(2))


async def test_the_command_names_copies_and_replays(city: Database, tmp_path: Path) -> None:
    made = EmbeddedStore(tmp_path / "telemetry.db")
    await made.open()
    await made.write([rows("B-1", "d-1", DAY, 1), rows("B-2", "d-2", DAY, 1, late_s=95)])
    await made.write([rows("B-3", "d-3", DAY, 3), rows("B-3", "d-3", NEXT, 3)])
    await made.write([rows("B-4", "d-4", DAY, 4), rows("B-4", "d-4", NEXT, 5)])
    await made.close()
    file = city_file(tmp_path, "127.0.0.1:1")

    def said(*more: str, enterprise: str = USCC) -> tuple[int, list[str]]:
        wanted = ["evidence", "values", "-c", str(file), "--enterprise", enterprise, *more]
        done = CliRunner().invoke(build(["evidence"]), wanted)
        return done.exit_code, done.output.splitlines()

    span = ("--from", DAY.isoformat(), "--to", NEXT.isoformat())
    code, lines = await asyncio.to_thread(said, *span)
    assert (code, lines[-2]) == (0, "2 findings; 6 machine days, 6 with values that say enough")
    assert lines[-1] == "8 tags: 0 judged by a range, 8 not judged, as none is known"
    assert f"{USCC} 1/B-1, 1/B-2: two machines have the same values" in lines
    assert f"{USCC} 1/B-3: the values of another day again" in lines
    code, lines = await asyncio.to_thread(said, *span, "--json")
    kinds = [json.loads(line)["kind"] for line in lines]
    assert (code, kinds) == (0, ["same_values", "same_days"])
    code, lines = await asyncio.to_thread(said, "--from", "2026-05-04", "--to", "2026-05-03")
    assert (code, lines) == (1, ["2026-05-04 to 2026-05-03 are not 1 to 31 days"])
    code, lines = await asyncio.to_thread(lambda: said(*span, enterprise="91"))
    assert (code, lines) == (1, ["no machine or gateway of 91 is known; write its USCC in full"])


async def test_values_that_no_machine_of_the_type_gives_are_found_and_kept(
    city: Database, tmp_path: Path
) -> None:
    """The lathe's mode is 0 to 3; how fast its spindle turns is known, and its part count not."""
    assert built_in_ranges("cnc_lathe")["mode"] == (None, 3.0)
    assert built_in_ranges("of a plant") == {}
    made = EmbeddedStore(tmp_path / "telemetry.db")
    await made.open()
    times = day_start_ms(DAY) + np.arange(200, dtype=np.int64) * 60_000
    for asset, wrong in (("B-1", 2), ("B-2", 1)):  # 1 % and half of it
        series = Series("cnc_lathe", USCC, "1", "gw-1", f"d-{asset}", asset)
        mode, free = np.full((200, 1), 2.0), np.full((200, 1), 1e9)
        mode[:wrong] = 7.0
        await made.write(
            [Rows(series, ("mode", "alarm_no"), times, (mode, free), np.ones((200, 2), np.bool_))]
        )
    await made.close()
    file = city_file(tmp_path, "127.0.0.1:1")
    wanted = ["evidence", "values", "-c", str(file), "--enterprise", USCC, "--keep"]
    span = ["--from", DAY.isoformat(), "--to", DAY.isoformat()]
    done = await asyncio.to_thread(CliRunner().invoke, build(["evidence"]), [*wanted, *span])
    lines = done.output.splitlines()
    assert f"{USCC} 1/B-1: values outside the physical range" in lines
    assert lines[-1] == "4 tags: 2 judged by a range, 2 not judged, as none is known"
    (kept,) = city.read_now(listed, Wanted(EVERYTHING, synthetic=False), 9)
    assert (kept.kind, kept.machines) == ("outside_range", ["1/B-1"])
    assert kept.numbers == {"count": 1, "days": 1, "percent": 1}
