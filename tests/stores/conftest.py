"""Servers that the tests of the stores share."""

import time
from collections.abc import Iterator

import pytest

from tests.support.influx2_contract import ContractServer
from tests.support.influxd import Influxd


@pytest.fixture(scope="package")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influxd]:
    with Influxd(tmp_path_factory.mktemp("influx")) as server:
        yield server


@pytest.fixture
def contract() -> Iterator[ContractServer]:
    with ContractServer() as server:
        yield server


@pytest.fixture
def gateway(request: pytest.FixtureRequest) -> str:
    """A gateway of its own for every test, since the real servers are shared."""
    return f"gw-{abs(hash(request.node.name)) % 10**9}-{time.time_ns() % 10**6}"
