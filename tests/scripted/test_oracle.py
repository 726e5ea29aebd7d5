"""A scripted month on the product's own way, from frames to stored rates, against a plain count."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from gateway.city.app import City
from gateway.city.rates.engines.asking import compare, month_inquiries
from gateway.city.rates.engines.copies import Copies
from gateway.city.rates.engines.counting import CopiedMonths
from gateway.city.rates.engines.duck import Duck
from gateway.city.rates.engines.store import Store
from gateway.city.rates.frozen.freezing import due, freeze_month
from gateway.city.rates.frozen.late import Late, late_for
from gateway.city.rates.frozen.results import Correction
from tests.scripted.judged import differences
from tests.scripted.oracle import INSTANT, RATES, Oracle
from tests.scripted.play import played
from tests.scripted.story import BEIJING, Story, load, only
from tests.support.clickhouse import clickhouse_store


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[Sequence[Store]]:
    duck = Duck(tmp_path / "rates.duckdb")
    with clickhouse_store(tmp_path) as clickhouse:
        yield duck, clickhouse
    duck.close()


LATE = Correction("late_data", "网关断网两周后补传", "李四")


def freeze(city: City, month: str, now_ms: int) -> list[str]:
    """Store what the calendar asks for; the definitions of it."""
    how = {"demonstration": False, "definitions": city.definitions}
    asked = city.database.read_now(due, now_ms, **how)
    return [
        frozen.definition
        for definition, of in asked
        if of == month
        if (frozen := freeze_month(city.database, definition, month, now_ms, **how))
    ]


def by_engines(city: City, month: str, now_ms: int, stores: Sequence[Store]) -> list[str]:
    """Where a store's engine counts otherwise than the city, which the plain count is held to."""

    def on(connection: Connection) -> list[str]:
        asked = month_inquiries(
            connection, city.definitions.values(), month, now_ms, demonstration=False
        )
        return [
            f"{store.where} {one.definition.id} {cell}"
            for store in stores
            for one in compare(connection, CopiedMonths(Copies(store, "330800")), asked)
            for cell in one.differences
        ]

    return city.database.read_now(on)


def told_late(city: City, story: Story, now_ms: int) -> Late | None:
    definition = city.definitions["ENR-A"]
    return city.database.read_now(late_for, definition, story.month, now_ms, demonstration=False)


def test_every_figure_of_the_month_is_what_a_plain_count_gives(
    tmp_path: Path, engines: Sequence[Store]
) -> None:
    story, found = load(), list[str]()
    stored = RATES.keys() - {INSTANT}

    def look(name: str, city: City, now_ms: int) -> None:
        oracle = Oracle(story, datetime.fromtimestamp(now_ms / 1000, BEIJING))
        if name == "corrected":
            late = told_late(city, story, now_ms)
            assert late is not None
            assert (late.machines, late.days, late.lost_days) == (5, 100, 0)
            for one in sorted(stored):
                how = {"demonstration": False, "definitions": city.definitions}
                freeze_month(city.database, one, story.month, now_ms, correction=LATE, **how)
        elif name != "running":
            assert set(freeze(city, story.month, now_ms)) == stored
            assert told_late(city, story, now_ms) is None
        for one in RATES:
            if one != INSTANT or name == "running":
                told = differences(story, city, oracle, one, now_ms)
                found.extend(f"{name}: {line}" for line in told)

        if name in ("running", "corrected"):
            cells = by_engines(city, story.month, now_ms, engines)
            found.extend(f"{name}: {cell}" for cell in cells)

    played(story, tmp_path / "city", look, story.data["moments"])
    assert not found, "\n".join(found)


DAYS = st.integers(1, 31)
STATUSES = st.sampled_from(["in_use", "standby", "idle", "sealed", "scrapped"])


@st.composite
def other_months(draw: st.DrawFn) -> Story:
    """Four enterprises of the story; gateways that are away or die, machines that change."""
    story = load()
    dies, away, back = draw(DAYS), draw(DAYS), draw(st.integers(1, 18))
    gateways = {
        "gw-c": {"dies": f"2025-10-{dies:02d} 00:00"},
        "gw-e": {"away": [f"2025-10-{away:02d} 00:00", f"2025-11-{back:02d} 08:00"]},
    }
    acts = []
    for hour, number in enumerate(["C-01", "E-01", "J-01", "O-01"]):
        entered = draw(DAYS)
        since = draw(st.one_of(st.just(""), st.integers(1, entered).map("2025-10-{:02d}".format)))
        row = {"who": [number[0]], "numbers": [number], "status": draw(STATUSES)}
        row |= {"status_since": since}
        acts.append({"at": f"2025-10-{entered:02d} 1{hour}:00", "equipment": [row]})
    return only(story, "CEJO", gateways, acts)


@given(other_months())
@settings(max_examples=2, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
def test_other_months_are_counted_as_plainly(
    tmp_path_factory: pytest.TempPathFactory, story: Story
) -> None:
    found = list[str]()

    def look(name: str, city: City, now_ms: int) -> None:
        oracle = Oracle(story, datetime.fromtimestamp(now_ms / 1000, BEIJING))
        for one in ("ENR-A", "LOOSE", "SENS"):
            found.extend(differences(story, city, oracle, one, now_ms))

    played(story, tmp_path_factory.mktemp("city"), look, ["final"])
    assert not found, "\n".join(found)
