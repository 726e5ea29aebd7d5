"""Writing from the page: only where it is allowed, seen first, confirmed, recorded, once."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.console.box import box, device, meter
from tests.console.english import english_on
from tests.console.http import TRUST
from tests.support.chromium import chromium
from tests.support.command import qulink
from tests.support.waiting import SOON_S

TOKEN = "a-token-of-sixteen-characters"
TEXT = "document.body.innerText"
TAGS = (
    {
        "name": "speed",
        "address": "holding:10",
        "scale": 0.1,
        "unit": "m/min",
        "access": "read-write",
        "minimum": 0,
        "maximum": 50,
    },
    {"name": "read_only", "address": "holding:11"},
)
PATH = "/devices/press-1/write/speed"


@contextmanager
def press(folder: Path, port: int, *, token: str = TOKEN, enabled: bool = True) -> Iterator[str]:
    secret = folder / "token"
    secret.write_text(token)
    console = {"token": {"file": str(secret)}} if token else {}
    one = device("press-1", TAGS, port=port)
    with box(folder, one, console=console, commands={"enabled": enabled}) as base:
        yield base


@asynccontextmanager
async def visiting(
    base: str, token: str = TOKEN, language: str = "en"
) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who has logged in, if there is a token."""
    async with httpx.AsyncClient(
        base_url=base, follow_redirects=True, verify=TRUST, trust_env=False, timeout=SOON_S
    ) as visitor:
        await visitor.get(f"/login?lang={language}")
        if token:
            form = {"csrf": visitor.cookies["qulink_csrf"], "token": token}
            assert (await visitor.post("/login", data=form)).status_code == 200
        yield visitor


@pytest.mark.timeout(300)
async def test_a_value_is_seen_first_then_written_and_read_back(tmp_path: Path) -> None:
    async with meter() as port:
        with press(tmp_path, port) as base:
            async with chromium() as page:
                await page.viewport(820, 1180)
                await page.goto(f"{base}/login?lang=en&next=/devices/press-1")
                await page.type("#token", TOKEN)
                await page.click("main button")
                await page.until(f"{TEXT}.includes('2.10')")
                assert await page.evaluate("document.querySelectorAll('a.write').length") == 1
                await page.click("a.write")
                await page.until("!!document.querySelector('[name=who]')")
                await page.type("[name=value]", "３.５")
                await page.type("[name=who]", "Li Wei")
                await page.click("main form button")
                await page.until("!!document.querySelector('button.danger')")
                text = await page.evaluate(TEXT)
                assert "2.10 m/min" in text
                assert "3.50 m/min" in text
                assert await page.barriers() == []
                await page.click("button.danger")
                await page.until(f"{TEXT}.includes('read back as exactly that')")
                assert await page.barriers() == []
                await page.goto(f"{base}/devices/press-1")
                await page.until(f"{TEXT}.includes('3.50')")
                assert page.problems == []
        record = qulink("commands", "audit", tmp_path / "gateway.yaml").stdout
        assert "Li Wei" in record
        assert "page, from 127.0.0.1" in record


@pytest.mark.timeout(300)
async def test_what_the_gate_refuses_is_said_and_a_form_sent_twice_writes_once(
    tmp_path: Path,
) -> None:
    async with meter() as port:
        with press(tmp_path, port) as base:
            async with visiting(base) as visitor:
                csrf = {"csrf": visitor.cookies["qulink_csrf"]}
                assert (await visitor.post(PATH, data={"value": "1"})).status_code == 403
                for value, words in (("60", "the most"), ("3.55", "nearest"), ("x", "no finite")):
                    page = await visitor.post(PATH, data={**csrf, "value": value, "who": "x"})
                    assert "Nothing was written" in page.text, value
                    assert words in page.text
                    assert "danger" not in page.text
                order = {**csrf, "value": "4", "who": "x", "id": "one"}
                assert "read back as exactly" in (await visitor.post(PATH, data=order)).text
                assert "read back as exactly" in (await visitor.post(PATH, data=order)).text
                other = await visitor.post(PATH, data={**order, "value": "5"})
                assert "another command has the id one" in other.text
                only = await visitor.get("/devices/press-1/write/read_only")
                assert only.status_code == 404


@pytest.mark.timeout(300)
async def test_a_chinese_page_says_in_chinese_what_the_gate_and_the_answer_say(
    tmp_path: Path,
) -> None:
    async with meter() as port:
        with press(tmp_path, port) as base:
            async with visiting(base, language="zh") as visitor:
                csrf = {"csrf": visitor.cookies["qulink_csrf"]}
                refused = {"60": "允许写入的最大值是 50", "3.55": "最接近的可写值是 3.5 和 3.6"}
                for value, words in (refused | {"x": "不是有限的数值"}).items():
                    page = await visitor.post(PATH, data={**csrf, "value": value, "who": "x"})
                    assert words in page.text
                    assert english_on(page.text) == []
                order = {**csrf, "value": "4", "who": "x", "id": "one"}
                await visitor.post(PATH, data=order)
                other = await visitor.post(PATH, data={**order, "value": "5"})
                assert "编号 one 已用于另一条命令" in other.text
                assert english_on(other.text) == []


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("token", "enabled"), [("", True), (TOKEN, False)])
async def test_without_a_token_or_leave_of_the_gateway_nothing_can_be_written(
    tmp_path: Path, token: str, enabled: bool
) -> None:
    async with meter() as port:
        with press(tmp_path, port, token=token, enabled=enabled) as base:
            async with visiting(base, token) as visitor:
                csrf = {"csrf": visitor.cookies["qulink_csrf"]}
                assert "/write/" not in (await visitor.get("/devices/press-1")).text
                order = {**csrf, "value": "4", "who": "x", "id": "one"}
                assert (await visitor.post(PATH, data=order)).status_code == 404
                assert (await visitor.get(PATH)).status_code == 404


@pytest.mark.timeout(300)
async def test_where_two_machines_have_a_name_the_one_that_is_meant_is_written(
    tmp_path: Path,
) -> None:
    other = {**TAGS[0], "address": "holding:12", "asset_no": "PR-2"}
    (tmp_path / "token").write_text(TOKEN)
    async with meter() as port:
        one = device("press-1", [TAGS[0], other], port=port)
        console = {"token": {"file": str(tmp_path / "token")}}
        with box(tmp_path, one, console=console, commands={"enabled": True}) as base:
            async with visiting(base) as visitor:
                page = (await visitor.get("/devices/press-1")).text
                assert 'href="/devices/press-1/write/PRESS-1/speed"' in page
                assert 'href="/devices/press-1/write/PR-2/speed"' in page
                csrf = {"csrf": visitor.cookies["qulink_csrf"]}
                order = {**csrf, "value": "4", "who": "x", "id": "one"}
                path = "/devices/press-1/write/PR-2/speed"
                assert "read back as exactly" in (await visitor.post(path, data=order)).text
                assert (await visitor.get(PATH)).status_code == 404
        rows = await asyncio.to_thread(_read, tmp_path)  # the meter answers meanwhile
        told = {row["tag"]: row["raw"] for row in rows}
        assert told == {"PRESS-1/speed": 21, "PR-2/speed": 40}


def _read(folder: Path) -> list[dict[str, Any]]:
    done = qulink("read", folder / "gateway.yaml", "press-1", "--json")
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


async def test_who_has_not_logged_in_writes_nothing(tmp_path: Path) -> None:
    async with meter() as port:
        with press(tmp_path, port) as base:
            async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=SOON_S) as visitor:
                await visitor.get("/login")
                order = {"csrf": visitor.cookies["qulink_csrf"], "value": "4", "id": "one"}
                answer = await visitor.post(PATH, data=order)
                assert answer.status_code in (303, 401, 403)
                assert answer.headers.get("location", "/login").startswith("/login")
