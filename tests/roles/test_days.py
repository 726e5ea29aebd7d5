"""Every role's day in a browser, in Chinese and in English; docs/roles.md shows it."""

import re
from pathlib import Path

import pytest

from gateway.city.access.principal import Role
from tests.roles.city import demonstration
from tests.roles.days import DAYS, PHONE
from tests.roles.walk import HEIGHT, WIDTH, Walk
from tests.support.chromium import chromium

pytestmark = pytest.mark.long

DOCS = Path(__file__).parents[2] / "docs"
SMALL = 100 * 1024


async def test_every_role_has_its_day(tmp_path: Path) -> None:
    assert set(DAYS) == set(Role)
    async with demonstration(tmp_path / "city") as base, chromium() as page:
        for language in ("zh", "en"):
            await page.viewport(WIDTH, HEIGHT)
            for role, day in DAYS.items():
                walk = Walk(page, base, language, role)
                await walk.enter()
                await day(walk)
                assert [one for one in page.problems if not is_expected(one)] == []
        await _reaches_all_by_phone(Walk(page, base, "zh", Role.ADMINISTRATOR))


def is_expected(problem: str) -> bool:
    """What a walk looks for: a refusal; or a page that is computed, and came back by itself."""
    return any(f"status of {code}" in problem for code in (403, 404, 503))


async def _reaches_all_by_phone(walk: Walk) -> None:
    """Every entry of the navigation can be brought into the window by who scrolls it."""
    await walk.page.viewport(PHONE, HEIGHT, mobile=True)
    await walk.enter()
    hidden = await walk.page.evaluate(
        "[...document.querySelectorAll('.nav a')].filter(one => {"
        " one.scrollIntoView({block: 'nearest', inline: 'nearest'});"
        " const r = one.getBoundingClientRect();"
        " return r.left < -1 || r.right > innerWidth + 1 || r.width === 0; }).length"
    )
    assert hidden == 0


@pytest.mark.parametrize(("page", "ending"), [("roles.md", ""), ("roles.zh.md", ".zh")])
def test_the_page_shows_each_role_by_a_small_picture(page: str, ending: str) -> None:
    shown = set(re.findall(r"\(images/roles/([^)]+)\)", (DOCS / page).read_text("utf-8")))
    assert shown == {f"{role}{ending}.webp" for role in Role}
    for name in shown:
        assert (DOCS / "images" / "roles" / name).stat().st_size < SMALL, name
