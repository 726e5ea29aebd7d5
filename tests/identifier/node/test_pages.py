"""The node's pages: what everybody finds by an identifier, and what nobody does."""

from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import text as sql

from gateway.identifier.irp.data import write_site
from gateway.identifier.irp.values import Value
from gateway.identifier.labels.symbol import qr
from gateway.identifier.node.keeping.counts import What
from gateway.identifier.node.pages.face import json_address, record_address
from gateway.identifier.node.program import database_of
from gateway.identifier.node.registration import Registration
from gateway.identifier.node.rights import accounts, allotting, registrations, templates
from gateway.identifier.registering.marking import WITHDRAWN
from gateway.identifier.registering.snms.templates import template_body
from gateway.identifier.template import ITEMS_BY_TYPE, TEMPLATE_ITEMS, TYPES, equipment_values
from gateway.web.access.guard import POLICY
from gateway.web.formats import moment
from gateway.web.i18n import catalog
from tests.identifier.irp.servers import site_at
from tests.identifier.node.acting import CLERK, NOW_MS, ROOT, Node
from tests.identifier.node.handle_face import PREFIX, Client, asking, post
from tests.identifier.node.running import configured, running
from tests.support.chromium import chromium

HANDLE = f"{PREFIX}/PM.1#注塑机"
EVIL = "<script>alert(1)</script>"
DELEGATED = "88.999.QZ02"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with asking(tmp_path) as made:
        settle(made.node)
        yield made


def settle(node: Node) -> None:
    """A machine by the template of machines, and a prefix of which another node knows."""
    body = template_body(PREFIX, "machines", TEMPLATE_ITEMS)
    for item in body["items"]:
        item["visibility"] = "enterprise" if item["idType"] == "location" else "everybody"
    node.do(templates.create, node.principal("qz01"), body)
    node.create("qz01", equipment(HANDLE, {"equipName": EVIL, "location": "secret place"}))
    site = write_site(site_at(2641))
    node.do(allotting.delegate, CLERK, DELEGATED, site)


def equipment(handle: str, texts: dict[str, str]) -> Registration:
    """A machine with what it needs to have, and some texts."""
    given = {TYPES[at]: text for at, text in equipment_values({}).items()}
    given |= {"enterpriseUscc": "91330800MA28F00001"} | texts
    items = (ITEMS_BY_TYPE[kind] for kind in given)
    values = (Value(one.index, one.type, given[one.type].encode()) for one in items)
    return Registration(handle, "machines", tuple(values))


async def page(client: Client, path: str, language: str = "zh") -> httpx.Response:
    return await client.http.get(path, params={"lang": language})


async def test_everybody_finds_what_is_for_everybody(client: Client) -> None:
    answer = await page(client, record_address(HANDLE.lower()))
    assert answer.status_code == 200
    assert qr(HANDLE) in answer.text, "the identifier as it was registered"
    assert "设备名称" in answer.text
    assert "equipName" in answer.text
    assert moment(NOW_MS) in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text
    assert EVIL not in answer.text
    assert "secret place" not in answer.text
    assert "安装位置" not in answer.text
    assert client.tally.totals == {What("page", "resolve", "ok"): 1}
    assert "Manufacturer" in (await page(client, record_address(HANDLE), "en")).text


async def test_the_page_leads_to_what_programs_are_told(client: Client) -> None:
    answer = await page(client, record_address(HANDLE))
    assert f'href="{json_address(HANDLE)}"' in answer.text
    told = await client.http.get(json_address(HANDLE))
    assert told.json()["handle"] == HANDLE


async def test_what_is_scanned_or_typed_leads_to_the_record(client: Client) -> None:
    wide = HANDLE.replace("88", "\uff18\uff18")
    wrapped = f"http://node/id/{quote(HANDLE)}"
    for code in (HANDLE, HANDLE.lower(), f" {HANDLE}\r", f"hdl:{HANDLE}", wrapped, wide):
        answer = await client.http.get("/", params={"code": code})
        assert answer.status_code == 303, code
        found = await page(client, answer.headers["location"])
        assert qr(HANDLE) in found.text, code


async def test_a_text_that_is_registered_is_meant_as_it_stands(client: Client) -> None:
    odd = f"{PREFIX}/http:a/../b"
    client.node.create("qz01", equipment(odd, {}))
    answer = await client.http.get("/", params={"code": odd})
    found = await page(client, answer.headers["location"])
    assert qr(odd) in found.text


async def test_a_withdrawn_one_says_so(client: Client) -> None:
    who = client.node.principal("qz01")
    client.node.now_ms = NOW_MS + 60_000
    client.node.do(registrations.withdraw, who, [(HANDLE, "not for everybody")])
    answer = await page(client, record_address(HANDLE), "en")
    assert answer.status_code == 410
    assert f"was withdrawn at {moment(NOW_MS + 60_000)}" in answer.text
    assert "&lt;script&gt;alert(1)" not in answer.text
    assert "not for everybody" not in answer.text
    for name, is_told in (("qz01", True), ("qz02", False)):
        answer = await page(await entered(client, name), record_address(HANDLE), "en")
        assert ("not for everybody" in answer.text, "Withdrawn by" in answer.text) == (
            is_told,
            is_told,
        )


async def entered(client: Client, name: str) -> Client:
    """The same visitor, logged in with a password."""
    client.node.do(accounts.set_password, ROOT, name, "a good password")
    client.http.cookies.clear()
    answer = await post(client, "/login", username=name, password="a good password")
    assert answer.status_code == 303
    return client


async def test_one_that_is_marked_as_a_mistake_says_so(client: Client) -> None:
    marked = f"{PREFIX}/PM.2"
    client.node.create("qz01", equipment(marked, {"runStatus": WITHDRAWN}))
    assert "此标识为误录" in (await page(client, record_address(marked))).text
    assert "此标识为误录" not in (await page(client, record_address(HANDLE))).text


ABSENT = {
    f"{PREFIX}/none": (404, "This node has no identifier"),
    "88.100.1/a": (404, "Not below the prefix of this node (88.999)"),
    "0.NA/88.100": (404, "Not below the prefix"),
    f"0.NA/{PREFIX}": (200, "answers for the prefix"),
    "rubbish": (404, "This is no identifier"),
    f"{PREFIX}/{'x' * 999}": (404, "This is no identifier"),
    f"{PREFIX}/\0": (404, "This is no identifier"),
    EVIL: (404, "Not below"),
    f"{DELEGATED}/a": (200, "127.0.0.1:2641 (TCP, UDP)"),
    f"{DELEGATED}.7/a": (200, "Another node answers for"),
    f"0.NA/{DELEGATED}": (200, "127.0.0.1:2641"),
}


async def test_what_is_not_here_is_said(client: Client) -> None:
    for handle, (status, words) in ABSENT.items():
        answer = await page(client, f"/id/{quote(handle, safe='')}", "en")
        assert (answer.status_code, words in answer.text) == (status, True), handle
        assert EVIL not in answer.text


async def test_other_codes_are_told_apart(client: Client) -> None:
    for code, words in {"6901234567893": "校验位错误，应为 2", "1#注塑机": "不是标识"}.items():
        answer = await client.http.get("/", params={"code": code})
        assert answer.status_code == 404
        assert words in answer.text


async def test_octets_and_addresses_of_values_without_a_template(client: Client) -> None:
    texts = {
        1: ("URL", b"https://a.example.cn/1"),
        2: ("KEY", b"\0\xff"),
        3: ("URL", b"javascript:0"),
    }
    values = tuple(Value(at, kind, data) for at, (kind, data) in texts.items())
    client.node.create("qz01", Registration(f"{PREFIX}/free", "", values))
    text = (await page(client, f"/id/{PREFIX}/free", "en")).text
    assert '<a href="https://a.example.cn/1" rel="noopener' in text
    assert 'href="javascript' not in text
    assert "no text, 2 B" in text


async def test_pages_wear_what_consoles_wear(client: Client) -> None:
    for path in ("/", record_address(HANDLE), "/id/rubbish"):
        answer = await client.http.get(path)
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["x-frame-options"] == "DENY"
    assert (await client.http.post("/", content=b"x")).status_code == 405


async def test_a_database_that_is_away_is_said(client: Client) -> None:
    client.node.database.run_now(lambda one: one.execute(sql("DROP TABLE record")))
    answer = await page(client, record_address(HANDLE), "en")
    assert answer.status_code == 503
    assert "does not answer" in answer.text
    assert answer.headers["content-security-policy"] == POLICY
    assert client.tally.totals == {What("page", "resolve", "unknown"): 1}


def test_items_of_machines_are_called_as_their_template_calls_them() -> None:
    names = {f"node.item.{one.type}": one.name for one in TEMPLATE_ITEMS}
    listed = {key: words for key, words in catalog("zh").items() if key.startswith("node.item.")}
    assert listed == names


async def test_in_a_browser(tmp_path: Path) -> None:
    """Contrast, names, landmarks, keyboard: what axe-core can tell; nothing is too wide."""
    config = configured(tmp_path)
    with closing(database_of(config)) as database:
        settle(Node(database))
    async with running(config) as url, chromium() as browser:
        await browser.goto(f"{url}/?lang=en")
        await browser.type("input[name=code]", f"hdl:{HANDLE}")
        await browser.click("main form button")
        await browser.until("document.querySelector('.qr svg path') !== null")
        assert HANDLE.partition("/")[2] in await browser.evaluate("document.body.innerText")
        for language, scheme, width in (("zh", "light", 390), ("en", "dark", 820)):
            await browser.viewport(width, 800, mobile=width < 640)
            await browser.colours(scheme)
            for path in (
                "/?code=6901234567893",
                f"/id/{'x' * 299}",
                record_address(HANDLE),
                f"/id/{DELEGATED}/a",
            ):
                await browser.goto(f"{url}{path}{'&' if '?' in path else '?'}lang={language}")
                assert await browser.barriers() == [], path
                assert await browser.evaluate("document.documentElement.scrollWidth") <= width, path
        assert browser.foreign(url) == []
