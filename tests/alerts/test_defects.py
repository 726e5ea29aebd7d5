"""A defect in alerting ends no process, keeps nothing else back, and is said once."""

import asyncio
import contextlib
import logging
from pathlib import Path

import pytest
from sqlalchemy import Connection

from gateway.city.alerts import alerting as looking
from gateway.city.alerts.delivery import sending as delivering
from gateway.city.alerts.delivery.mail import Mail, Post
from gateway.city.alerts.delivery.outcome import AwayError
from gateway.city.alerts.faults import FIRST_MS
from gateway.city.alerts.gathering import Judging
from gateway.city.alerts.model import Condition, Kind
from gateway.relational.database import Database
from tests.alerts.smtp import free_port, mail_server
from tests.alerts.test_alerting import NOON_MS, World, city, enterprises, gateways, silence
from tests.alerts.test_delivery import Office, settings


def _broken(_connection: Connection, _by: Judging, _now_ms: int) -> list[Condition]:
    raise KeyError("a defect")


async def test_rates_that_cannot_be_judged_keep_no_silent_gateway_back(
    database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    facts = dict(looking._FACTS)
    monkeypatch.setattr(looking, "_FACTS", facts | {Kind.FALL: _broken})
    world = World(database, tmp_path)
    world.do(enterprises)
    world.do(gateways, "gw-1")
    world.do(silence, "gw-1", NOON_MS)
    faults = world.alerting._faults
    with caplog.at_level(logging.ERROR):
        await world.later(0)
        assert faults.going_on
        await world.later(0)  # too soon for another attempt
        assert faults.count == 1
        await world.later(15)
    assert [one.kind for one in world.alerts()] == [Kind.GATEWAY]
    assert faults.count == 2
    (said,) = caplog.records
    assert "judging rate-fall" in said.message and said.exc_info is not None
    facts_again = looking._FACTS
    facts_again[Kind.FALL] = facts[Kind.FALL]  # type: ignore[index]
    await world.later(FIRST_MS * 2 / 60_000)
    assert not faults.going_on


async def test_a_message_that_cannot_be_worded_keeps_no_other_back(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(database, tmp_path, free_port())
    office.person("first")
    office.person("second")
    office.fall_silent("gw-1")
    await office.told()
    worded = delivering.subject
    monkeypatch.setattr(delivering, "subject", _raise)
    async with mail_server(office.box, office.port):
        with pytest.raises(KeyError):
            await office.sending.send_next("mail")
        monkeypatch.setattr(delivering, "subject", worded)
        assert await office.sending.send_next("mail")
        assert office.states() == {"sent": 1, "waiting": 1}
        office.now_ms += 120_000
        assert await office.sent() == 1
    assert office.states() == {"sent": 2}


def _raise(*_: object) -> str:
    raise KeyError("a defect")


async def test_a_server_that_answers_a_letter_at_a_time_is_left(tmp_path: Path) -> None:
    left = asyncio.Event()

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while not writer.is_closing():
                writer.write(b"2")
                await writer.drain()
                await asyncio.sleep(0.05)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        left.set()

    server = await asyncio.start_server(drip, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    mail = city(tmp_path, **settings(port)).alerts.mail
    assert mail is not None
    async with server:
        with pytest.raises(AwayError, match=r"no mail in 0\.3 s"):
            await Post(mail, total_s=0.3).send(Mail("a@jxj.example.cn", "s", "t", "k", NOON_MS))
        await left.wait()  # the thread has let go of it
