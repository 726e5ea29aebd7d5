"""A county's own target stands beside its rate; the plan's is shown of the whole city alone."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import httpx
import pytest

from gateway.city.access.principal import Role
from gateway.city.console.app import build
from gateway.city.rates.model import Target
from tests.console.test_scopes import _people
from tests.console.town import NOW_MS, town

AIM = Target(
    id="ENR-A", county="330822", year=2027, percent=58, document="常经信〔2025〕3号",
    valid_from=date(2025, 3, 1),
)  # fmt: skip


@pytest.fixture
async def browser(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setattr("gateway.web.access.admission.system_ms", lambda: NOW_MS)
    async with town(tmp_path / "city", accounts=True) as made:
        made.database.run_now(_people)
        known = dict(made.context.definitions)
        known["ENR-A"] = known["ENR-A"].aimed_by([AIM])
        app = build(replace(made.context, definitions=known))
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8080"
        ) as client:
            yield client


async def page(browser: httpx.AsyncClient, role: Role, path: str) -> str:
    browser.cookies.set("qulink_session_8080", role, domain="127.0.0.1")
    answer = await browser.get(f"{path}?month=2025-10&lang=zh")
    assert answer.status_code == 200, path
    return answer.text


async def test_a_county_has_its_own_target_or_none(browser: httpx.AsyncClient) -> None:
    own = await page(browser, Role.BUREAU, "/counties/330822")
    assert "2027 年末目标 58.00 %" in own and "常经信〔2025〕3号" in own
    other = await page(browser, Role.BUREAU, "/counties/330881")
    assert "未设目标；规划目标为全市目标" in other and "58.00 %" not in other
    whole = await page(browser, Role.BUREAU, "/")
    assert "距 2025 年目标" in whole and whole.count("2027 年末目标") == 1
    assert whole.count('<line class="target"') == 1, "the plan's is no county's"
    assert 'x1="58.00%"' in whole
    assert "常山县 2027 年末目标 58.00 %" in await page(browser, Role.BUREAU, "/definitions")


async def test_who_sees_a_part_is_not_measured_by_the_plan(browser: httpx.AsyncClient) -> None:
    for role, aims in ((Role.COUNTY, 1), (Role.ENTERPRISE, 0)):
        shown = await page(browser, role, "/")
        assert "距 2025 年目标" not in shown and "规划目标为全市目标" in shown
        assert shown.count("2027 年末目标") == aims
        assert "规划末年目标" not in shown
        assert "距 2025 年目标" not in await page(browser, role, "/print")
