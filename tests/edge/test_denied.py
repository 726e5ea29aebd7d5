"""A gateway whose frames never reach its city although the broker is there: it says so, and why."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_config.models.gateway import CITY
from gateway.city.registry import enrolment
from gateway.edge.live.health import health
from tests.edge.city import City
from tests.edge.test_northbound import Sender
from tests.support.broker import Mosquitto
from tests.support.city import USCC, assembled, city_config, fill_ledger, running
from tests.support.waiting import until

ACL = "user city\ntopic readwrite #\npattern read qulink/2/down/%u/#\n"


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.edge.northbound.acks.question.PATIENCE_S", 1.0)


@pytest.fixture
def denying(tmp_path: Path) -> Iterator[Mosquitto]:
    """It lets a gateway read, and throws away what it publishes."""
    (tmp_path / "acl").write_text(ACL)
    (tmp_path / "acl").chmod(0o644)
    lines = f"user root\nallow_anonymous true\nacl_file {tmp_path / 'acl'}\nset_tcp_nodelay true"
    with Mosquitto(tmp_path, lines) as broker:
        yield broker


def broker_part(sender: Sender) -> str:
    return health(sender.live, 0)["broker"]


async def test_a_broker_that_confirms_what_it_denies_is_found_out(
    tmp_path: Path, denying: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sender = Sender(tmp_path, denying.url, protocol="3.1.1", ack_timeout_ms=1_000)
    async with sender.running():
        sender.feed(3)
        await until(lambda: broker_part(sender) != "ok")
        assert "may it publish under its id (the broker's access rules)" in broker_part(sender)
        assert sender.live.northbound().connected
        assert sender.live.northbound().sent == 0  # nothing is sent for nothing
        assert sender.buffer.city.pending().frames == 3
    said = [one.message for one in caplog.records if "does not answer" in one.message]
    assert len(said) == 1


async def test_a_broker_of_mqtt_5_says_it_itself(tmp_path: Path, denying: Mosquitto) -> None:
    sender = Sender(tmp_path, denying.url, protocol="5")
    async with sender.running():
        await until(lambda: "Not authorized" in broker_part(sender))


async def test_a_city_that_begins_late_ends_it(
    tmp_path: Path, mosquitto: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    sender = Sender(tmp_path, mosquitto.url, ack_timeout_ms=1_000)
    async with sender.running():
        sender.feed(3)
        await until(lambda: broker_part(sender) != "ok")
        async with City(mosquitto.port, "gw").running():
            await until(lambda: broker_part(sender) == "ok")
            await until(lambda: len(sender.buffer.city._acknowledged) > 0)
    said = [one.message for one in caplog.records if "answer" in one.message]
    assert len(said) == 2
    assert said[1].endswith("the city answers again")


async def test_a_gateway_that_is_not_enrolled_is_told_by_the_city(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    async with assembled(city_config(mosquitto.url, tmp_path / "city")) as city:
        fill_ledger(city, "another")
        async with running(city):
            sender = Sender(tmp_path, mosquitto.url, ack_timeout_ms=1_000)
            async with sender.running():
                sender.feed(1)
                told = "the city refuses us: gateway gw is not enrolled or is revoked"
                await until(lambda: broker_part(sender) == told)
                city.database.run_now(enrolment.add, "gw", USCC, "1", city.now_ms())
                await until(lambda: broker_part(sender) == "ok")
                assert sender.live.northbound(CITY).unanswered == ""
