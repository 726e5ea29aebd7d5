"""The conformance kit on two servers by others: node-opcua and asyncua's."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.drivers.api import Value
from gateway.drivers.kit.conformance import Bench, RefusalConformance, SubscribingConformance
from gateway.drivers.opcua import SPEC
from gateway.drivers.quality.claims import exempt_rules
from tests.drivers.opcua.server import URI, AsyncuaServer, ForeignServer, OpcUaServer
from tests.support.peers import free_port

QUICK = {"publishing_ms": 50, "keepalive_ms": 200, "request_timeout_ms": 2_000}


def address(name: str, type_name: str) -> str:
    return f"nsu={URI};s={name}|{type_name}"


def bench_of(server: OpcUaServer, good: list[tuple[Any, Value]], **more: Any) -> Bench:
    """A bench on a server process; starts it if the test before took it away."""
    if not server.running:
        server.start()
    server.set("Double", 1.5)

    async def stop() -> None:
        server.kill()

    async def start() -> None:
        server.start()

    async def stall() -> None:
        server.freeze()

    async def resume() -> None:
        server.thaw()

    async def change() -> None:
        server.set("Double", 2.75)

    return Bench(
        spec=SPEC,
        connection={"url": server.url, **QUICK},
        dead={"url": f"opc.tcp://127.0.0.1:{free_port()}"},
        good=good,
        unknown=address("Nowhere", "float64"),
        stop=stop,
        start=start,
        stall=stall,
        resume=resume,
        change=change,
        libraries=("asyncua", "cryptography"),
        deadline_s=60.0,  # a server of asyncua starts in 6 s on an idle machine
        **more,
    )


@pytest.fixture(scope="module")
def node_opcua(pki: Path) -> Iterator[OpcUaServer]:
    with ForeignServer(pki, items=1, user="operator", password="correct") as server:
        yield server


@pytest.fixture(scope="module")
def asyncua() -> Iterator[OpcUaServer]:
    with AsyncuaServer() as server:
        yield server


class TestNodeOpcua(RefusalConformance, SubscribingConformance):
    """Another language, another code base."""

    exempt = exempt_rules(SPEC)

    @pytest.fixture
    async def bench(
        self, node_opcua: OpcUaServer, monkeypatch: pytest.MonkeyPatch
    ) -> AsyncIterator[Bench]:
        monkeypatch.setenv("QULINK_TEST_PASSWORD", "wrong")
        user = {"username": "operator", "password": {"env": "QULINK_TEST_PASSWORD"}}
        good: list[tuple[Any, Value]] = [
            (address("Double", "float64"), 1.5),
            (address("Float", "float32"), 2.5),
            (address("UInt64", "uint64"), 18446744073709551615),
            (address("Int16", "int16"), -30000),
            (address("String", "string"), "衢州 press"),
            (address("Boolean", "bool"), True),
        ]
        yield bench_of(
            node_opcua,
            good,
            writable=(address("Item.0", "float64"), 77.5),
            read_only=(address("ReadOnly", "float64"), 1.0),
            refused={"url": node_opcua.url, **user},
        )


class TestAsyncua(RefusalConformance, SubscribingConformance):
    """The server of the project that our client library is from."""

    exempt = exempt_rules(SPEC)

    @pytest.fixture
    async def bench(self, asyncua: OpcUaServer) -> AsyncIterator[Bench]:
        good: list[tuple[Any, Value]] = [
            (address("Double", "float64"), 1.5),
            (address("Int32", "int32"), -7),
            (address("String", "string"), "门"),
        ]
        yield bench_of(
            asyncua,
            good,
            writable=(address("Double", "float64"), 8.25),
            read_only=(address("Int32", "int32"), 1),
            refused={"url": asyncua.url, "security": "basic256sha256"},
        )
