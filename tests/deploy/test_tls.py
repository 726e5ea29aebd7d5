"""The shipped TLS listener on a real mosquitto: edge and city use it, strangers do not."""

import asyncio
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.mqtt.attempts import Attempts
from tests.support.certificates import Authority
from tests.support.city import assembled, city_config, city_on
from tests.support.edge import VALUES, Edge
from tests.support.shipped_broker import ShippedMosquitto
from tests.support.waiting import until


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[ShippedMosquitto]:
    with ShippedMosquitto(tmp_path) as running:
        yield running


async def test_values_travel_over_tls_with_client_certificates(
    broker: ShippedMosquitto, tmp_path: Path
) -> None:
    begin = time.time_ns() // 1_000_000
    city_side = {"broker": broker.settings("city")}
    edge = Edge(tmp_path, "gw-1", begin, **broker.settings("gw-1"))
    async with city_on(broker.url, tmp_path / "data", "gw-1", **city_side) as city, edge.running():
        edge.feed(20)
        await edge.drained()
        assert await city.store.count(["gw-1"], begin, begin + 20) == 20 * VALUES


async def test_an_edge_refuses_a_broker_of_another_ca_and_says_so_once(
    broker: ShippedMosquitto, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    foreign = Authority(tmp_path, "foreign").file
    edge = Edge(tmp_path, "gw-1", 0, **broker.settings("gw-1", ca_file=foreign))
    async with edge.running():
        edge.feed(1)
        await until(lambda: edge.north._attempts.failures >= 3)
        assert not edge.live.northbound().connected
    (line,) = [record.message for record in caplog.records if "trying again" in record.message]
    assert f"mqtts://127.0.0.1:{broker.tls_port}" in line
    assert "certificate verify failed" in line
    assert "gw-1-secret" not in caplog.text


async def test_an_edge_without_a_certificate_is_refused_and_loses_nothing(
    broker: ShippedMosquitto, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = broker.settings("gw-1", cert_file=None, key_file=None)
    settings["connect_timeout_ms"] = 60_000  # the refusal is not waited for
    edge = Edge(tmp_path, "gw-1", 0, **settings)
    async with edge.running():
        edge.feed(1)
        await until(lambda: edge.north._attempts.failures >= 2)
        assert edge.acknowledged == 0
        assert edge.live.northbound().sent == 0
    (line,) = [record.message for record in caplog.records]
    assert "set 'tls.cert_file' and 'tls.key_file'; trying again" in line


def count_attempts(patched: pytest.MonkeyPatch) -> list[Exception]:
    """The faults of all attempts to connect, as they come."""
    faults: list[Exception] = []
    failed = Attempts.failed

    def counted(attempts: Attempts, fault: Exception) -> str:
        faults.append(fault)
        return failed(attempts, fault)

    patched.setattr(Attempts, "failed", counted)
    return faults


async def test_a_city_refuses_a_broker_of_another_ca_and_says_so_once(
    broker: ShippedMosquitto,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    foreign = Authority(tmp_path, "foreign").file
    settings = broker.settings("city", ca_file=foreign) | {"retry_max_ms": 1_000}
    async with assembled(city_config(broker.url, tmp_path / "data", broker=settings)) as city:
        with monkeypatch.context() as patched:
            attempts = count_attempts(patched)
            task = asyncio.create_task(city.uplink.run())
            await until(lambda: len(attempts) >= 3)
        assert city.uplink.connected_since_ms is None
        task.cancel()
        await asyncio.wait([task])
    lines = [r.message for r in caplog.records if r.levelno >= logging.WARNING]
    (line,) = [text for text in lines if "trying again" in text]
    assert "certificate verify failed" in line
    assert "city-secret" not in caplog.text
