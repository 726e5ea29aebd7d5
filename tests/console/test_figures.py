"""The headline figure, its trend, and curves."""

import asyncio
import contextlib
import sqlite3
import time
from pathlib import Path

import pytest
from sqlalchemy import delete

from gateway.city.console.app import build
from gateway.city.console.charts.specifications import Shape, history_chart, history_rows
from gateway.city.db import tables
from gateway.city.rates.definitions import DefinitionError
from gateway.city.stores.api import Point
from tests.console.conftest import served
from tests.console.http import get
from tests.console.town import Town, town, uscc_of


async def test_the_definition_says_which_figure_stands_large(tmp_path: Path) -> None:
    async with (
        town(tmp_path, headline="ENR-B") as made,
        served(build(made.context)) as base,
    ):
        page = (await get(f"{base}/?lang=zh")).text
        body = (await get(f"{base}/?format=json")).json()
        chart = (await get(f"{base}/charts/trend.json")).json()["datasets"]["actual"]
        mean = body["rows"][0]["mean_percent"]
        assert body["rows"][0]["pooled_percent"] != mean
        assert f'data-k="pooled">{mean}<span>' in page
        assert chart[-1]["text"] == mean
        assert "全市企业平均口径" in page


async def test_an_unknown_headline_is_told_at_the_start(tmp_path: Path) -> None:
    async with town(tmp_path, headline="ENR-Z") as made:
        with pytest.raises(DefinitionError, match="no definition 'ENR-Z'; there are ENR-A"):
            build(made.context)


async def test_the_trend_ends_in_the_headline_figure(address: str, city: Town) -> None:
    """Both are asked for at different times; they must not contradict each other."""
    chart = f"{address}/charts/trend.json"
    first = (await get(chart)).json()["datasets"]["actual"][-1]["text"]
    most = delete(tables.evidence).where(tables.evidence.c.machine_id != 1)
    city.database.run_now(lambda connection: connection.execute(most))
    deadline = time.monotonic() + 15
    while (shown := (await get(f"{address}/?format=json")).json()["rows"][0])["networked"] != 1:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    last = (await get(chart)).json()["datasets"]["actual"][-1]
    assert last["text"] == shown["pooled_percent"] == "0.72" != first


async def test_a_store_that_does_not_answer_is_not_called_a_time_without_values(
    address: str, city: Town, tmp_path: Path
) -> None:
    chart = f"{address}/enterprises/{uscc_of(0)}/1/A-001/chart.json?tag=power&lang=en"
    assert (await get(chart)).json()["datasets"]["nothing"] == []
    city.clock.now_ms += 3_600_000
    (words,) = (await get(chart)).json()["datasets"]["nothing"]
    assert words == {"text": "No values in this time."}
    with contextlib.closing(sqlite3.connect(tmp_path / "telemetry.db")) as telemetry:
        telemetry.executescript("DROP TABLE points;")
    (words,) = (await get(chart)).json()["datasets"]["nothing"]
    assert "does not answer" in words["text"]


def test_a_silence_breaks_the_curve() -> None:
    times = [*range(0, 10_000, 1000), *range(400_000, 410_000, 1000)]
    rows = history_rows([Point(time, 1.0) for time in times])
    assert [row["v"] for row in rows].count(None) == 1
    assert len(rows) == len(times) + 1
    assert history_rows([]) == []
    assert len(history_rows([Point(0, 1)])) == 1


def test_a_picture_has_no_marks_to_point_at() -> None:
    """Hundreds of invisible dots made a page ten times as large."""
    shapes: tuple[Shape, ...] = ("wide", "narrow", "interactive")
    layers = {
        shape: len(history_chart([Point(0, 1.0)], "t", "none", shape, (0, 1))["layer"])
        for shape in shapes
    }
    assert layers == {"wide": 3, "narrow": 3, "interactive": 4}
