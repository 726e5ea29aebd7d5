"""Pages about identifiers: releasing, the outbox, labels, and what a scanned label leads to."""

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from pypdf import PdfReader
from sqlalchemy import select

from edge_config.models.base import Secret
from gateway.city.access.audit import entries
from gateway.city.console.app import build
from gateway.city.console.pages.machine import machine_address
from gateway.city.db.schema.identifiers import identifier_outbox, identifier_review
from tests.console import unconfirmed
from tests.console.conftest import served
from tests.console.http import get
from tests.console.town import NOW_MS, Town, town, uscc_of
from tests.support.chromium import Page, chromium
from tests.support.waiting import SOON_S

TOKEN = "token-of-twenty-signs"
PAGES = {
    "/identifiers": ("等待放行的设备", "Machines that wait for their release"),
    "/identifiers/outbox": (unconfirmed.REASON, "Refused by the node"),
    f"/identifiers/labels?enterprise={uscc_of(0)}": ("全部 22 台", "all 22 of the enterprise"),
}
HANDLE = "88.999.00000001/PM.20251123.000001"


@dataclass(frozen=True, slots=True)
class Site:
    """A console with a token, and the city behind it."""

    city: Town
    address: str

    async def post(self, path: str, form: dict[str, str], csrf: str = "c") -> httpx.Response:
        headers = {"authorization": f"Bearer {TOKEN}", "cookie": "qulink_csrf=c"}
        async with httpx.AsyncClient(trust_env=False, timeout=SOON_S) as client:
            sent = form | {"csrf": csrf}
            return await client.post(f"{self.address}{path}", data=sent, headers=headers)

    async def get(self, path: str) -> httpx.Response:
        return await get(f"{self.address}{path}", headers={"authorization": f"Bearer {TOKEN}"})


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    secret = tmp_path / "token"
    secret.write_text(TOKEN)
    async with town(tmp_path / "city", token=Secret(file=secret, env=None)) as city:
        city.database.run_now(unconfirmed.fill)
        async with served(build(city.context)) as address:
            yield Site(city, address)


def released(city: Town) -> list[int]:
    own = identifier_review.c
    query = select(own.equipment_id).where(own.approved_ms.is_not(None))
    ordered = query.order_by(own.equipment_id)
    return list(city.database.read_now(lambda c: c.scalars(ordered).all()))


async def test_chosen_machines_are_released_and_written_down(site: Site) -> None:
    page = await site.get("/identifiers?lang=en")
    assert 'name="m-3"' in page.text and 'name="m-1005"' not in page.text
    assert "88.999.00000001/production.20251123.…" in page.text
    done = await site.post("/identifiers/release", {"m-3": "1", "m-1": "1"})  # 1 waits for nothing
    assert (done.status_code, done.headers["location"]) == (303, "/identifiers?done=1")
    assert released(site.city) == [3]
    (entry,) = site.city.database.read_now(entries)
    assert (entry.action, entry.subject) == ("identifiers-released", uscc_of(0))
    assert (entry.who, entry.detail) == ("token 127.0.0.1", "1 by console: A-003")
    assert 'name="m-3"' not in (await site.get("/identifiers")).text


async def test_an_enterprise_is_released_as_a_whole(site: Site) -> None:
    await site.post("/identifiers/release", {"enterprise": uscc_of(0)})
    assert released(site.city) == [3, 24]


async def test_what_comes_from_elsewhere_releases_nothing(site: Site) -> None:
    for path in ("/identifiers/release", "/identifiers/outbox/ask"):
        assert (await site.post(path, {"enterprise": uscc_of(0)}, csrf="x")).status_code == 403
    assert (await site.post("/identifiers/release", {})).status_code == 400
    assert released(site.city) == []


async def test_without_a_token_nobody_releases(city: Town, address: str) -> None:
    site = Site(city, address)
    for path in ("/identifiers/release", "/identifiers/outbox/ask"):
        assert (await site.post(path, {"enterprise": uscc_of(0)})).status_code == 403
    page = await get(f"{address}/identifiers?lang=en")
    assert "left to commands" in page.text and "<button" not in page.text.partition("<main")[2]


async def test_the_outbox_says_why_and_asks_again(site: Site) -> None:
    page = await site.get("/identifiers/outbox?lang=en")
    assert "3 entries" in page.text and unconfirmed.REASON in page.text
    assert "88.999" not in page.text.partition("<main")[2]
    assert "Registering pauses until 2025-11-23 14:40:12" in page.text and "配额已满" in page.text
    refused = await site.get("/identifiers/outbox?lang=en&state=refused")
    assert "1 entry" in refused.text
    done = await site.post("/identifiers/outbox/ask", {"enterprise": uscc_of(1)})
    assert done.headers["location"].endswith("done=2")  # not the one that is being asked about
    box = identifier_outbox.c
    query = select(box.equipment_id).where(box.state != "done", box.next_attempt_ms <= NOW_MS)
    due = site.city.database.read_now(lambda c: c.scalars(query).all())
    assert sorted(due) == [unconfirmed.PENDING, unconfirmed.REFUSED]


async def test_labels_are_those_of_confirmed_machines(site: Site) -> None:
    ask = f"/identifiers/labels/file?enterprise={uscc_of(1)}&size=40x25"
    zpl = await site.get(f"{ask}&kind=zpl")
    assert zpl.text.count("^XA") == 8  # of twelve: three unconfirmed, one without
    assert "A-005" not in zpl.text
    assert zpl.headers["content-disposition"] == 'attachment; filename="labels.zpl"'
    chosen = await site.get(f"{ask}&kind=zpl&m-1001=1&m-{unconfirmed.REFUSED}=1")
    assert (chosen.text.count("^XA"), "A-001" in chosen.text) == (1, True)
    pdf = await site.get(f"{ask}&kind=pdf&m-1001=1")
    assert len(PdfReader(io.BytesIO(pdf.content)).pages) == 1
    png = await site.get(f"{ask}&kind=png&dpi=203&m-1001=1")
    assert png.content.startswith(b"\x89PNG")
    for wrong in ("size=1x1", "kind=exe", "dpi=9999", "dpi=x"):
        assert (await site.get(f"{ask}&{wrong}")).status_code == 400
    assert (await site.get("/identifiers/labels/file?enterprise=none")).status_code == 404
    many = "&".join(f"m-{number}=1" for number in range(300))
    assert (await site.get(f"/identifiers/labels/file?{many}")).status_code == 400


LOOKS = (("zh", "light", 1280, 800), ("en", "dark", 820, 1000), ("zh", "dark", 390, 844))


async def test_the_pages_in_every_look(site: Site) -> None:
    async with chromium() as page:
        await log_in(page, f"{site.address}/identifiers")
        for language, scheme, width, height in LOOKS:
            await page.viewport(width, height, mobile=width < 640)
            await page.colours(scheme)
            for path, words in PAGES.items():
                mark = "&" if "?" in path else "?"
                await page.goto(f"{site.address}{path}{mark}lang={language}")
                text = await page.evaluate("document.body.innerText")
                assert words[language == "en"] in text, path
                wide = await page.evaluate("document.documentElement.scrollWidth")
                assert wide <= width, path
                assert await page.barriers() == [], path
        assert page.problems == []


async def log_in(page: Page, address: str) -> None:
    await page.goto(address)
    await page.type("input[name=token]", TOKEN)
    await page.click("main form button")
    await page.until("document.querySelector('.login') === null")


async def test_an_officer_ticks_and_releases(site: Site) -> None:
    async with chromium() as page:
        await log_in(page, f"{site.address}/identifiers?lang=en")
        await page.click("input[name=m-3]")
        await page.click("#waiting form button.primary")
        await page.until("document.querySelector('.notice.good') !== null")
        assert "1 machine is released" in await page.evaluate("document.body.innerText")
    assert released(site.city) == [3]


async def test_a_scanned_label_reaches_the_machine_behind_the_login(site: Site) -> None:
    async with chromium() as page:
        await page.viewport(390, 844, mobile=True)
        await log_in(page, f"{site.address}/id/{HANDLE}")
        await page.until("document.querySelector('.handle') !== null")
        suffix = HANDLE.partition("/")[2]
        assert suffix in await page.evaluate("document.querySelector('.handle').innerText")


async def test_the_login_leads_to_the_address_that_was_asked_for(site: Site) -> None:
    """Whatever a name holds: unquoted once, a slash or # would make another address of it."""
    for name in ("A/01", "1#注塑机", "50%", "a?b&c", "..", "A%2F1"):
        path = machine_address(uscc_of(0), "1", name)
        first = await get(f"{site.address}{path}?lang=en", headers={"accept": "text/html"})
        form = await get(f"{site.address}{first.headers['location']}")
        target = form.text.partition('name="next" value="')[2].partition('"')[0]
        assert target == f"{path}?lang=en"
        entered = await site.post("/login", {"token": TOKEN, "next": target})
        assert entered.headers["location"] == target
