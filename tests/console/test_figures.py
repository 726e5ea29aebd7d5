"""The headline figure, its trend, and curves."""

import asyncio
import contextlib
import sqlite3
import time
from pathlib import Path

import pytest
from sqlalchemy import delete

from gateway.city.console.app import build
from gateway.city.console.charts.history import history_chart, stretches
from gateway.city.console.charts.specifications import Shape
from gateway.city.console.doubt import doubt_words
from gateway.city.db import tables
from gateway.city.rates.definitions import DefinitionError
from gateway.city.stores.api import Point
from gateway.core.days import OFFSET_MS
from gateway.core.status import GOOD, Quality, Reason, status, travels, uncertain
from gateway.web.i18n import Language
from tests.console.conftest import served
from tests.console.http import get
from tests.console.town import Town, town, uscc_of
from tests.support.city_db import change_evidence


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
    city.database.run_now(change_evidence, most)
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


RANGE, FROZEN, DOUBT = (
    uncertain(reason) for reason in (Reason.RANGE, Reason.FROZEN, Reason.CLOCK_DOUBT)
)


def curve_of(points: list[Point]) -> list[tuple[str, list[int]]]:
    """The parts of a curve: how far their values can be trusted, and their times."""
    return [(one.trust, [point.time_ms for point in one.curve]) for one in stretches(points)]


def marks_of(points: list[Point], span: tuple[int, int]) -> list[tuple[str, int]]:
    """The shapes of a chart: which, and when (UTC milliseconds)."""
    marks = history_chart(points, "t", "none", str, "wide", span)["datasets"]["marks"]
    return [(mark["trust"], mark["t"] - OFFSET_MS) for mark in marks]


def test_a_silence_breaks_the_curve() -> None:
    early, late = list(range(0, 10_000, 1000)), list(range(400_000, 410_000, 1000))
    points = [Point(time, 1.0) for time in early + late]
    assert curve_of(points) == [("good", early), ("good", late)]
    assert curve_of([]) == []


def test_doubt_is_dashed_from_the_value_before_to_the_good_one_behind() -> None:
    codes = [GOOD, GOOD, RANGE, RANGE, FROZEN, GOOD, DOUBT]
    assert curve_of([Point(at, 1.0, code) for at, code in enumerate(codes)]) == [
        ("good", [0, 1]),
        ("uncertain", [1, 2, 3]),
        ("replayed", [3, 4, 5]),
        ("good", [5]),
        ("doubted", [5, 6]),
    ]


def test_a_value_in_doubt_has_a_shape_and_so_has_one_that_is_alone() -> None:
    far = 1_000_000
    codes = [GOOD] * 90 + [RANGE, DOUBT]
    near = [Point(far + at * 1000, 1.0, code) for at, code in enumerate(codes)]
    points = [Point(0, 1.0), *near, Point(3 * far, 1.0)]
    assert marks_of(points, (0, 3 * far)) == [
        ("good", 0),
        ("uncertain", far + 90_000),
        ("doubted", far + 91_000),
        ("good", 3 * far),
    ]
    assert marks_of([Point(5, 1.0)], (0, 10)) == [("good", 5)]
    assert marks_of([Point(5, 1.0), Point(6, 1.0)], (0, 10)) == []
    assert marks_of([Point(5, 1.0), Point(6, 1.0)], (0, 100)) == [("good", 5)]


def test_a_good_value_between_doubted_ones_is_a_dot() -> None:
    points = [Point(0, 1.0), Point(100, 1.0, RANGE), Point(200, 1.0)]
    assert marks_of(points, (0, 300)) == [("good", 0), ("uncertain", 100), ("good", 200)]


@pytest.mark.parametrize("codes", [[FROZEN], [FROZEN, GOOD], [FROZEN, RANGE, DOUBT]])
def test_doubt_that_lasts_or_flickers_is_not_a_wall_of_shapes(codes: list[int]) -> None:
    points = [Point(at * 1000, 1.0, codes[at % len(codes)]) for at in range(600)]
    marks = marks_of(points, (0, 600_000))
    assert marks[0] == ("replayed", 0)
    for trust in {trust for trust, _ in marks}:
        assert 40 < len([mark for mark in marks if mark[0] == trust]) <= 61


@pytest.mark.parametrize("language", ["zh", "en"])
def test_doubt_is_said_in_words(language: Language) -> None:
    codes = [status(q, r) for q in (Quality.GOOD, Quality.UNCERTAIN) for r in Reason]
    said = {code: doubt_words(language, code) for code in codes if travels(code)}
    assert len(set(said.values())) == len(said)
    assert (
        said[FROZEN]
        == {
            "zh": "重复或替代的旧值 · 服务器停滞",
            "en": "repeated or made up · server stands still",
        }[language]
    )


def test_a_picture_has_no_marks_to_point_at() -> None:
    """Hundreds of invisible dots made a page ten times as large."""
    shapes: tuple[Shape, ...] = ("wide", "narrow", "interactive")
    charts = {
        shape: history_chart([Point(0, 1.0)], "t", "none", str, shape, (0, 1)) for shape in shapes
    }
    assert {shape: len(chart["layer"]) for shape, chart in charts.items()} == {
        "wide": 5,
        "narrow": 5,
        "interactive": 6,
    }
    assert [shape for shape, chart in charts.items() if "values" in chart["datasets"]] == [
        "interactive"
    ]
