"""Messages about alerts: to a mail server by others, once, of what their reader sees by then."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from gateway.city.access import users
from gateway.city.access.principal import Principal, Role, administrator, parse_scope
from gateway.city.access.users import User
from gateway.city.alerts import watching
from gateway.city.alerts.delivery import assembling, contacts, queue
from gateway.city.alerts.delivery.contacts import Contact
from gateway.city.alerts.delivery.outcome import AwayError
from gateway.city.alerts.delivery.sending import Sending
from gateway.city.alerts.model import Level
from gateway.city.db.schema.alerting.messages import alert_message
from gateway.city.db.tables import enterprise
from gateway.core.days import DAY_MS, HOUR_MS
from gateway.relational.database import Database
from tests.alerts.smtp import free_port, mail_server, mails
from tests.alerts.test_alerting import NOON_MS, World, city, enterprises, gateways, silence
from tests.support.certificates import Authority
from tests.support.city_db import USCCS

ROOT = administrator("root")


def settings(port: int, **more: Any) -> dict[str, Any]:
    """Alerts that go by mail to a server on loopback."""
    mail = {"url": f"smtp://127.0.0.1:{port}", "sender": "qulink@jxj.example.cn"}
    mail |= {"domains": ["jxj.example.cn"], "timeout_ms": 60_000}
    return {"gather_s": 60, "mail": mail | more}


class Office(World):
    """A world whose users are sent mails."""

    def __init__(self, database: Database, folder: Path, port: int, **more: Any) -> None:
        super().__init__(database, folder)
        self.box = folder / "box"
        self.box.mkdir()
        self.port, self.config = port, city(folder, **settings(port, **more))
        self.sending = Sending(self.config, database, lambda: self.now_ms)
        self.do(enterprises)

    def person(self, name: str, scope: str = "all", language: str = "zh") -> Principal:
        """A user with an address who watches everything in its scope."""
        role = Role.BUREAU if scope == "all" else Role.COUNTY
        who = User(name, name, role, parse_scope(scope), NOON_MS, "root", None, is_invited=False)
        self.do(users.add, ROOT, who)
        mail = self.config.alerts.mail
        address = Contact(f"{name}@jxj.example.cn", contacts.language_of(language))
        self.do(contacts.keep, who.principal, mail, address, NOON_MS)
        level, key = (Level.CITY, "city") if scope == "all" else (Level.COUNTY, scope.split()[1])
        self.do(watching.add, who.principal, level, key, NOON_MS)
        return who.principal

    def fall_silent(self, *names: str, uscc: str = USCCS[0]) -> None:
        self.do(gateways, *names, uscc=uscc)
        for name in names:
            self.do(silence, name, NOON_MS - DAY_MS)

    async def told(self) -> None:
        """Alerts begin, and are put into messages."""
        await self.later(0)
        await self.later(1)
        await self.sending.gather()

    async def sent(self) -> int:
        """Send everything that is due; how many messages were handled."""
        number = 0
        while await self.sending.send_next("mail"):
            number += 1
        return number

    def states(self) -> dict[str, int]:
        found: dict[str, int] = self.do(queue.states)
        return found


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    return Office(database, tmp_path, free_port())


async def test_two_hundred_gateways_are_one_mail(office: Office) -> None:
    office.person("wang.li")
    office.person("li.wei", "county 330881", "en")
    renamed = update(enterprise).where(enterprise.c.uscc == USCCS[0])
    hostile = "甲厂\r\nBcc: everybody@example.com"
    office.do(lambda connection: connection.execute(renamed.values(name=hostile)))
    office.fall_silent(*(f"gw-{one}" for one in range(199)))
    office.fall_silent("gw-x", uscc=USCCS[1])
    await office.told()
    async with mail_server(office.box, office.port):
        assert await office.sent() == 2
    (li, english), (wang, chinese) = sorted(mails(office.box), key=lambda one: one[0])
    assert (li, wang) == (["li.wei@jxj.example.cn"], ["wang.li@jxj.example.cn"])
    assert chinese["Subject"] == "[衢州市] 新增告警 200 条，结束 0 条"
    assert chinese["Auto-Submitted"] == "auto-generated"
    text = chinese.get_content()
    assert "网关失联：新增 200 条" in text
    assert "另有 180 条" in text
    assert "gw-x" in english["Subject"]
    assert "gw-1 " not in english.get_content()
    assert all(one["Bcc"] is None for one in (english, chinese))
    assert office.states() == {"sent": 2}
    await office.later(60)
    await office.sending.gather()
    assert office.states() == {"sent": 2}  # it is told once


async def test_a_name_ends_no_header(office: Office) -> None:
    office.person("wang.li")
    renamed = update(enterprise).where(enterprise.c.uscc == USCCS[0])
    hostile = "甲厂\r\nBcc: everybody@example.com"
    office.do(lambda connection: connection.execute(renamed.values(name=hostile)))
    office.fall_silent("gw-1")
    await office.told()
    async with mail_server(office.box, office.port):
        await office.sent()
    ((to, mail),) = mails(office.box)
    assert to == ["wang.li@jxj.example.cn"]
    assert mail["Bcc"] is None
    assert "甲厂 Bcc: everybody@example.com" in mail["Subject"]


async def test_what_is_no_longer_seen_is_not_sent(office: Office) -> None:
    who = office.person("li.wei", "county 330822")
    office.person("zhao.min")
    office.fall_silent("gw-1")
    await office.told()
    other = parse_scope("county 330881")
    office.do(users.change, ROOT, NOON_MS, who.name, Role.COUNTY, other)
    async with mail_server(office.box, office.port):
        assert await office.sent() == 2
    assert [to for to, _ in mails(office.box)] == [["zhao.min@jxj.example.cn"]]
    assert office.states() == {"sent": 1, "void": 1}


async def test_who_may_not_log_in_is_sent_nothing(office: Office) -> None:
    who = office.person("li.wei")
    office.fall_silent("gw-1")
    await office.told()
    office.do(
        users.add,
        ROOT,
        User("chen", "chen", Role.ADMINISTRATOR, parse_scope("all"), 0, "root", None, False),
    )
    office.do(users.disable, ROOT, NOON_MS, who.name)
    assert await office.sent() == 1
    assert office.states() == {"void": 1}


async def test_one_mailbox_that_is_gone_keeps_nobody_waiting(office: Office) -> None:
    for name in ("gone", "busy", "wang.li"):
        office.person(name)
    office.fall_silent("gw-1")
    await office.told()
    async with mail_server(office.box, office.port):
        assert await office.sent() == 3
        assert office.states() == {"refused": 1, "waiting": 1, "sent": 1}
        assert await office.sent() == 0
        office.now_ms += HOUR_MS
        assert await office.sent() == 1  # it is asked again, later
    assert [to for to, _ in mails(office.box)] == [["wang.li@jxj.example.cn"]]


async def test_a_server_that_is_away_is_waited_for(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.person("wang.li")
    office.fall_silent("gw-1")
    await office.told()
    key = office.do(lambda one: one.scalar(select(alert_message.c.key)))
    with pytest.raises(AwayError, match=f"127.0.0.1:{office.port}"):
        await office.sending.send_next("mail")
    with pytest.raises(AwayError):
        await office.sending.send_next("mail")
    async with mail_server(office.box, office.port):
        assert await office.sent() == 1
    ((_, mail),) = mails(office.box)
    assert mail["Message-ID"] == f"<{key}@jxj.example.cn>"


async def test_a_server_that_hangs_is_left(office: Office, tmp_path: Path) -> None:
    hasty = Sending(
        city(tmp_path, **settings(office.port, timeout_ms=500)),
        office.database,
        lambda: office.now_ms,
    )
    office.person("slow")
    office.fall_silent("gw-1")
    await office.told()
    async with mail_server(office.box, office.port):
        with pytest.raises(AwayError, match="timed out"):
            await hasty.send_next("mail")
    assert office.states() == {"waiting": 1}


async def test_mails_go_by_tls_to_a_server_that_is_known(
    database: Database, tmp_path: Path
) -> None:
    authority = await asyncio.to_thread(Authority, tmp_path)
    certificate, key = await asyncio.to_thread(authority.server)
    port = free_port()
    url, tls = f"smtps://127.0.0.1:{port}", {"ca_file": authority.file}
    office = Office(database, tmp_path, port, url=url, tls=tls)
    stranger = Sending(city(tmp_path, **settings(port, url=url)), database, lambda: office.now_ms)
    office.person("wang.li")
    office.fall_silent("gw-1")
    await office.told()
    options = ("--smtpscert", str(certificate), "--smtpskey", str(key))
    async with mail_server(office.box, port, *options):
        with pytest.raises(AwayError, match="CERTIFICATE_VERIFY_FAILED"):
            await stranger.send_next("mail")
        assert await office.sent() == 1
    assert len(mails(office.box)) == 1


async def test_the_oldest_fall_out_of_a_full_queue(office: Office) -> None:
    for number in range(15):
        office.person(f"person-{number:02d}")
    office.fall_silent("gw-1")
    await office.later(0)
    found = office.do(assembling.assemble, {}, office.now_ms, has_mail=True, most=10)
    assert (found.added, found.dropped) == (15, 5)
    assert office.states() == {"waiting": 10, "dropped": 5}


async def test_what_began_and_ended_unsaid_is_said_to_nobody(office: Office) -> None:
    office.person("wang.li")
    office.fall_silent("gw-1")
    await office.later(0)
    from tests.alerts.test_alerting import speak

    office.do(speak, "gw-1", office.now_ms)
    await office.later(1)
    await office.later(10)
    await office.sending.gather()
    assert office.states() == {}


_DYING = """
import os, signal, sys, time
from pathlib import Path
from gateway.city.alerts.delivery import queue
from gateway.relational.database import connect
database = connect(sys.argv[1], Path())
assert database.run_now(queue.claim, "mail", int(sys.argv[2])) is not None
os.kill(os.getpid(), signal.SIGKILL)
"""


async def test_who_dies_before_sending_loses_nothing(office: Office) -> None:
    office.person("wang.li")
    office.fall_silent("gw-1")
    await office.told()
    url = office.database.engine.url.render_as_string(hide_password=False)
    arguments = [sys.executable, "-c", _DYING, url, str(office.now_ms)]
    died = await asyncio.to_thread(subprocess.run, arguments, check=False)
    assert died.returncode == -signal.SIGKILL
    assert await office.sent() == 0  # claimed, for ten minutes
    office.do(queue.release, office.now_ms)  # what the next process begins with
    async with mail_server(office.box, office.port):
        assert await office.sent() == 1
    assert len(mails(office.box)) == 1


def test_addresses_are_of_allowed_domains_alone(office: Office) -> None:
    who = office.person("wang.li")
    mail = office.config.alerts.mail
    for address in ("w@example.com", "w@jxj.example.cn\r\nBcc: x@y.cn", "w", "<w@jxj.example.cn>"):
        with pytest.raises(contacts.ContactError):
            office.do(contacts.keep, who, mail, Contact(address, "zh"), NOON_MS)
    office.do(contacts.keep, who, mail, Contact("", "zh"), NOON_MS)
    assert office.do(contacts.of, "wang.li") is None
    with pytest.raises(contacts.ContactError):
        office.do(
            contacts.keep,
            Principal("token", Role.ADMINISTRATOR, who.scope),
            mail,
            Contact("a@jxj.example.cn", "zh"),
            NOON_MS,
        )
