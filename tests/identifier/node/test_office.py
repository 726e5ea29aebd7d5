"""The page of the node's users: who gets in, and what they may do there."""

from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from gateway.identifier.node.keeping import prefixes
from gateway.identifier.node.keeping.audit import Action
from gateway.identifier.node.keeping.prefixes import State
from gateway.identifier.node.keeping.users import Role
from gateway.identifier.node.pages.office import word
from gateway.identifier.node.program import database_of
from gateway.identifier.node.rights import accounts
from gateway.throttle import FREE_ATTEMPTS
from gateway.web.access.guard import MAX_BODY_BYTES
from gateway.web.i18n import catalog
from tests.identifier.node.acting import ROOT, Node
from tests.identifier.node.handle_face import Client, asking, post
from tests.identifier.node.running import configured, running
from tests.support.chromium import chromium

PASSWORD = "correct horse 电池"
OWN = "88.999.QZ01"


def people(node: Node) -> None:
    """A reviewer and the enterprise QZ01 get passwords."""
    node.do(accounts.add, ROOT, "wang", Role.REVIEWER, "")
    for name in ("wang", "qz01"):
        assert node.do(accounts.set_password, ROOT, name, PASSWORD).outcome == "ok"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with asking(tmp_path) as made:
        people(made.node)
        yield made


async def enter(client: Client, name: str, password: str = PASSWORD) -> httpx.Response:
    return await post(client, "/login", username=name, password=password)


def state(client: Client, prefix: str) -> State | None:
    found = client.node.database.run_now(prefixes.find, prefix)
    return None if found is None else found.state


async def test_a_reviewer_decides(client: Client) -> None:
    answer = await enter(client, "wang")
    assert answer.headers["location"] == "/office"
    assert "httponly" in answer.headers["set-cookie"].lower()
    asked = await post(client, "/office/apply", prefix="88.999.QZ03", enterprise="虚构机械厂")
    assert asked.headers["location"] == "/office?said=ok"
    assert state(client, "88.999.QZ03") is State.APPLIED
    refused = await post(client, "/office/decide", prefix="88.999.QZ03", state="refused")
    assert refused.headers["location"] == "/office?said=invalid", "without a reason"
    assert "拒绝或暂停必须说明原因" in (await client.http.get("/office?said=invalid&lang=zh")).text
    assert "必须说明" not in (await client.http.get("/office?said=invalid")).text, "said once"
    for language, words in (("zh", "不是前缀；前缀的格式为 88.999.QZ01"), ("en", "is no prefix")):
        await post(client, "/office/apply", prefix="<b>注", enterprise="x")
        told = (await client.http.get(f"/office?said=invalid&lang={language}")).text
        assert (words in told, "&lt;b&gt;注" in told) == (True, True)
    for kind in ("allotted", "suspended"):
        fields = {"prefix": "88.999.QZ03", "state": kind, "reason": "a\0 <b>reason</b>"}
        await post(client, "/office/decide", **fields)
        assert state(client, "88.999.QZ03") == kind
    page = (await client.http.get("/office?lang=zh&said=ok")).text
    for words in (
        "虚构机械厂",
        "已暂停",
        "&lt;b&gt;reason",
        "已完成",
        "审计记录",
        "暂停前缀",
    ):
        assert words in page
    assert (await post(client, "/office/decide", prefix=OWN, state="x")).status_code == 303


def test_each_action_of_the_audit_log_has_words() -> None:
    told = {key.rpartition(".")[2] for key in catalog("zh") if key.startswith("node.office.did.")}
    assert told == set(Action)
    assert word("en", "did", "from_the_future") == "from_the_future"


async def test_an_enterprise_sees_and_asks_for_its_own(client: Client) -> None:
    await enter(client, "qz01")
    await post(client, "/office/apply", prefix=f"{OWN}.A", enterprise="enterprise qz02")
    assert state(client, f"{OWN}.A") is None, "for somebody else"
    await post(client, "/office/apply", prefix=f"{OWN}.A")
    told = await post(client, "/office/decide", prefix=f"{OWN}.A", state="allotted")
    assert told.headers["location"] == "/office?said=denied"
    assert state(client, f"{OWN}.A") is State.APPLIED
    page = (await client.http.get("/office?page=99999&lang=en")).text
    assert f"{OWN}.A" in page
    for hidden in ("88.999.QZ02", "/office/decide", "audit log"):
        assert hidden not in page


async def test_nobody_gets_in_without_a_login(client: Client) -> None:
    for answer in (
        await client.http.get("/office"),
        await post(client, "/office/apply", prefix="88.999.QZ04", enterprise="x"),
        await post(client, "/office/decide", prefix=OWN, state="suspended", reason="x"),
    ):
        assert answer.headers["location"] == "/login"
    assert state(client, "88.999.QZ04") is None
    assert state(client, OWN) is State.ALLOTTED
    client.http.cookies.set("qulink_node_88.999", "made up")
    assert (await client.http.get("/office")).headers["location"] == "/login"


async def test_a_login_ends(client: Client) -> None:
    await enter(client, "wang")
    token = client.http.cookies["qulink_node_88.999"]
    await post(client, "/logout")
    assert "qulink_node_88.999" not in client.http.cookies
    client.http.cookies.set("qulink_node_88.999", token)
    assert (await client.http.get("/office")).headers["location"] == "/login"


async def test_a_form_of_another_site_does_nothing(client: Client) -> None:
    await enter(client, "wang")
    fields = {"prefix": OWN, "state": "suspended", "reason": "x"}
    for given in (fields, fields | {"csrf": "made up"}):
        assert (await client.http.post("/office/decide", data=given)).status_code == 403
    assert state(client, OWN) is State.ALLOTTED
    assert (await client.http.post("/login", data={"username": "wang"})).status_code == 403
    assert (await post(client, "/office/apply", prefix="x" * MAX_BODY_BYTES)).status_code == 413


async def test_who_guesses_waits(client: Client) -> None:
    for _ in range(FREE_ATTEMPTS):
        answer = await enter(client, "wang", "wrong")
        assert answer.status_code == 403
        assert "wrong" not in answer.text.partition("<main")[2].partition('value="wang"')[2]
    answer = await enter(client, "wang")
    assert answer.status_code == 429, "even with the right one"
    assert "qulink_node_88.999" not in client.http.cookies
    client.clock[0] += 60
    assert (await enter(client, "wang")).status_code == 303


async def test_in_a_browser(tmp_path: Path) -> None:
    config = configured(tmp_path)
    with closing(database_of(config)) as database:
        people(Node(database))
    async with running(config) as url, chromium() as browser:
        await browser.viewport(820, 800)
        await browser.colours("dark")
        await browser.goto(f"{url}/office?lang=zh")
        assert await browser.barriers() == []
        for field, words in (("#username", "wang"), ("#password", PASSWORD)):
            await browser.type(field, words)
        await browser.click("main form button")
        await browser.until("document.querySelector('tbody input[name=reason]') !== null")
        await browser.type("tbody input[name=reason]", "证照不全")
        await browser.click("tbody button[value=suspended]")
        await browser.until("document.querySelector('.state-bad') !== null")
        for language in ("zh", "en"):
            await browser.goto(f"{url}/office?lang={language}")
            assert await browser.barriers() == []
            assert await browser.evaluate("document.documentElement.scrollWidth") <= 820
        await browser.click("form[action='/logout'] button")
        await browser.until("location.pathname === '/'")
        assert browser.problems == []
