"""Fixtures for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.broker import Mosquitto


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A running anonymous mosquitto."""
    with Mosquitto(tmp_path) as broker:
        yield broker
