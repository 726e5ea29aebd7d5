"""A running node-opcua for all tests of a file, and drivers that are closed."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from gateway.drivers.opcua.config import Connection
from gateway.drivers.opcua.driver import OpcUaDriver
from tests.drivers.opcua.server import ForeignServer


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates of the foreign servers, made once."""
    return tmp_path_factory.mktemp("pki")


@pytest.fixture(scope="session")
def foreign(pki: Path) -> Iterator[ForeignServer]:
    """node-opcua with all its variables, secure endpoints, one account and small limits."""
    with ForeignServer(
        pki,
        secure=True,
        user="operator",
        password="p:ss wörd",
        items=25,
        limits={"maxNodesPerRead": 7, "maxMonitoredItemsPerCall": 4},
    ) as server:
        yield server


Connect = Callable[[Connection], OpcUaDriver]


@pytest.fixture
async def driver_for() -> AsyncIterator[Connect]:
    """Makes drivers that are closed at the end of the test."""
    made: list[OpcUaDriver] = []

    def make(connection: Connection) -> OpcUaDriver:
        made.append(OpcUaDriver(connection))
        return made[-1]

    yield make
    for driver in made:
        await driver.close()
