"""Fixtures for every test."""

import asyncio
import gc
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.broker import Mosquitto
from tests.support.chromium import BROWSER
from tests.support.loop import ServingLoop
from tests.support.postgres import POSTGRES

# A busy machine is no failure.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

# With all tests collected, looking for cycles ten times as often is a seventh of the work of those
# that compute; what waits for it meanwhile is some tens of megabytes.
gc.set_threshold(500_000)


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """One loop for every test whose folder names none."""
    return {"serving": ServingLoop}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first: none of them is to run alone at the end, while other processes wait."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish() -> None:
    """Tests that look for leaks do not search all that was collected before them."""
    gc.freeze()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A running anonymous mosquitto."""
    with Mosquitto(tmp_path) as broker:
        yield broker


@pytest.fixture(scope="session", autouse=True)
def servers_end() -> Iterator[None]:
    """No browser or database server outlives the tests of its process."""
    yield
    BROWSER.close()
    POSTGRES.close()
