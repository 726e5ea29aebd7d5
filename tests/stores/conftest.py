"""Servers that the tests of the stores share."""

import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.city.stores.api import Store
from gateway.city.stores.embedded import EmbeddedStore
from tests.stores.cases import influx1, influx2
from tests.support.influx2_contract import ContractServer
from tests.support.influxd import Influxd


@pytest.fixture(scope="session")
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


REAL2 = ("QULINK_TEST_INFLUX2_URL", "QULINK_TEST_INFLUX2_TOKEN")
INFLUX = ["influx1", "contract2", *(["influx2"] if all(map(os.environ.get, REAL2)) else [])]


def make(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    monkeypatch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
    match kind:
        case "embedded":
            return EmbeddedStore(tmp_path / "telemetry.db")
        case "influx1":
            return influx1(request.getfixturevalue("influxd").url)
        case "contract2":
            return influx2(monkeypatch, request.getfixturevalue("contract").url)
        case _:
            names = ("URL", "TOKEN", "ORG", "BUCKET")
            url, token, org, bucket = (os.environ[f"QULINK_TEST_INFLUX2_{n}"] for n in names)
            return influx2(monkeypatch, url, token, org=org, bucket=bucket)


@pytest.fixture(params=["embedded", *INFLUX])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    made = make(request.param, request, tmp_path)
    await made.open()
    yield made
    await made.close()


@pytest.fixture(params=INFLUX)
async def influx(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    made = make(request.param, request, tmp_path)
    await made.open()
    yield made
    await made.close()
