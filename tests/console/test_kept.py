"""Figures outlive the console: the first page after a start waits for nothing."""

import asyncio
import threading
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from gateway.city.access.principal import EVERYTHING
from gateway.city.console.queries.figures import Figures
from gateway.city.db import tables
from gateway.city.db.schema.operation import operation
from gateway.city.rates.definitions import builtin_definitions
from gateway.city.rates.reports import kept
from gateway.city.rates.reports.trend import trend
from tests.console.town import NOW_MS, Town, town
from tests.support.waiting import until


async def slow(*_arguments: Any, **_more: Any) -> Any:
    await asyncio.Event().wait()


async def test_the_next_process_shows_what_the_last_one_computed(
    city: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Figures(city.context)
    month, points = await before.month("ENR-A", EVERYTHING), await before.trend(EVERYTHING)
    after = Figures(city.context)
    monkeypatch.setattr(type(city.database), "read", slow)  # to compute anew takes for ever
    assert await after.month("ENR-A", EVERYTHING) == month
    assert await after.trend(EVERYTHING) == points
    assert (await after.table("county", EVERYTHING)).cells


async def test_a_fresh_figure_takes_the_place_of_the_old_one(city: Town) -> None:
    old = await Figures(city.context).month("ENR-A", EVERYTHING)
    scrapped = update(tables.status_rows).values(status="scrapped")
    city.database.run_now(lambda connection: connection.execute(scrapped))
    after = Figures(city.context)
    assert old.city.equipment

    async def is_fresh() -> bool:
        return not (await after.month("ENR-A", EVERYTHING)).city.equipment

    await until(is_fresh)


async def test_what_is_not_the_same_any_more_is_not_shown(city: Town, tmp_path: Path) -> None:
    await Figures(city.context).month("ENR-A", EVERYTHING)
    file = city.context.config.data_dir / kept.KEPT_FILE
    one = kept.read(file)[0]
    known = builtin_definitions()
    assert kept.recalled(one, known) is not None
    changed = known["ENR-A"].model_copy(update={"version": 99})
    assert kept.recalled(one, known | {"ENR-A": changed}) is None
    assert kept.recalled(one, {}) is None
    for broken in (b"", b"[{}]", b"\xff", b"{}"):
        file.write_bytes(broken)
        assert kept.read(file) == []
    assert (await Figures(city.context).month("ENR-A", EVERYTHING)).city.equipment


async def test_one_writes_the_file_at_a_time(city: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that came at once wrote into each other's draft, and nothing could be read of it."""
    write, writing, came = kept.write, threading.Lock(), threading.Event()
    overlaps: list[Path] = []

    def watched(path: Path, months: Sequence[kept.KeptMonth]) -> None:
        if not writing.acquire(blocking=False):
            overlaps.append(path)
            came.set()
            return
        came.wait(0.3)  # for another one, which must not come
        write(path, months)
        writing.release()

    monkeypatch.setattr(kept, "write", watched)
    wanted = ["ENR-A", "ENR-B", "ONL"]
    figures = Figures(city.context)
    await asyncio.gather(*(figures.month(one, EVERYTHING) for one in wanted))
    assert overlaps == []
    found = kept.read(city.context.config.data_dir / kept.KEPT_FILE)
    assert {one.definition for one in found} == {*wanted, "COV"}


@pytest.mark.parametrize("mean", ["1/0", "a half"])
async def test_a_figure_that_makes_no_sense_stops_no_start(city: Town, mean: str) -> None:
    await Figures(city.context).month("ENR-A", EVERYTHING)
    file = city.context.config.data_dir / kept.KEPT_FILE
    one = kept.read(file)[0]
    one.cells["city"]["city"].mean = mean
    kept.write(file, [one])
    assert (await Figures(city.context).month("ENR-A", EVERYTHING)).city.equipment


async def test_who_answers_now_is_not_told_by_the_last_process(city: Town) -> None:
    assert (await Figures(city.context).month("ONL", EVERYTHING)).city.networked
    known = city.context.definitions
    file = kept.read(city.context.config.data_dir / kept.KEPT_FILE)
    assert {one.definition for one in file if kept.recalled(one, known)} == {"ENR-A", "COV"}


async def test_a_trend_begins_with_the_first_evidence(tmp_path: Path) -> None:
    """It computed each month since the city began: ten of a million machines took minutes."""
    async with town(tmp_path) as made:
        first = update(operation).values(began_on=date(2020, 1, 1))
        made.database.run_now(lambda connection: connection.execute(first))
        months = ("2024-01", "2024-02", "2025-10")
        found = made.database.read_now(trend, "ENR-A", months, NOW_MS, demonstration=True)
        assert "2024-01" not in [one.month for one in found]
