"""From an identifier to the page of its machine."""

from dataclasses import replace
from urllib.parse import quote

import pytest

from gateway.city.console.app import build
from gateway.identifier.labels.symbol import qr
from tests.console.conftest import served
from tests.console.http import get
from tests.console.town import Town
from tests.support.chromium import chromium

HANDLE = "88.999.00000001/PM.20251123.000001"


@pytest.mark.parametrize(
    "code",
    [
        HANDLE,
        HANDLE.lower(),
        f"https://city.example.cn/id/{HANDLE}",
        f"hdl:{HANDLE}\r",
        f" {HANDLE} ",
        f"{HANDLE[:-1]}１",
    ],
)
async def test_an_identifier_leads_to_its_machine(city: Town, address: str, code: str) -> None:
    for path in (f"/id/{quote(code, safe='')}", f"/id?code={quote(code)}"):
        answer = await get(f"{address}{path}")
        assert answer.status_code == 303
        page = await get(f"{address}{answer.headers['location']}")
        assert page.status_code == 200
        assert HANDLE.partition("/")[2] in page.text


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("88.999.00000001/none", "没有标识为"),
        ("6901234567893", "校验位错误，应为 2"),
        ("1#注塑机", "不属于本平台已知的任何标识体系"),
        ("<script>alert(1)</script>", "&lt;script&gt;"),
        ("88.999.00000001", "格式错误"),
    ],
)
async def test_what_leads_nowhere_is_said(city: Town, address: str, code: str, words: str) -> None:
    answer = await get(f"{address}/id?code={quote(code)}")
    assert answer.status_code == 404
    assert words in answer.text


async def test_a_long_code_is_not_cut_into_another_ones(city: Town, address: str) -> None:
    begun = "https://city.example.cn/".ljust(300 - len(HANDLE) - 1, "a") + f"/{HANDLE}"
    assert (await get(f"{address}/id?code={quote(begun)}")).status_code == 303
    assert (await get(f"{address}/id?code={quote(begun)}9")).status_code == 404


async def test_the_page_is_a_form(city: Town, address: str) -> None:
    answer = await get(f"{address}/id?lang=en")
    assert answer.status_code == 200
    assert "Type or scan a code" in answer.text


async def test_whoever_types_one_arrives(city: Town, address: str) -> None:
    async with chromium() as page:
        await page.goto(f"{address}/id?lang=en")
        await page.type("input[name=code]", HANDLE)
        await page.click("main form button")
        suffix = HANDLE.partition("/")[2]
        await page.until(f"document.querySelector('.handle')?.innerText.endsWith('{suffix}')")


async def test_a_label_leads_phones_to_the_machine(city: Town) -> None:
    config = city.context.config
    identifier = replace(config.identifier, page_url="https://city.example.cn/id/")
    context = replace(city.context, config=replace(config, identifier=identifier))
    async with served(build(context)) as address:
        found = await get(f"{address}/id/{HANDLE}")
        page = await get(f"{address}{found.headers['location']}")
    assert qr(f"https://city.example.cn/id/{HANDLE}") in page.text
    assert qr(HANDLE) not in page.text
