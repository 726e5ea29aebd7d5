"""What takes long in a large city is made before somebody asks for it."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import event

from gateway.city.console.app import build
from gateway.city.console.process import make_ahead
from gateway.web.waiting import Making, NotYetError
from tests.console.conftest import served
from tests.console.http import get
from tests.console.town import Town

READ = {
    "/search?q=磨床": "GROUP BY equipment.uscc",
    "/published": "ORDER BY rate_result.computed_ms",
    "/quality": "FROM quarantine",
}
"""Pages, and what they read that takes long."""


@pytest.fixture
async def base(city: Town) -> AsyncIterator[str]:
    async with served(build(city.context)) as address:
        yield address


def _asked(city: Town) -> list[str]:
    """The queries of the database from now on."""
    asked: list[str] = []

    @event.listens_for(city.database.engine, "before_cursor_execute")
    def _note(*said: object) -> None:
        asked.append(str(said[2]))

    return asked


async def test_pages_find_it_made(city: Town, base: str) -> None:
    asked = _asked(city)
    await make_ahead(city.context)
    for path, read in READ.items():
        assert [one for one in asked if read in one], path
    for path in ("/search?q=磨床", "/published"):  # the counts of the other hold for seconds only
        asked.clear()
        assert (await get(base + path)).status_code == 200
        assert not [one for one in asked if READ[path] in one], path


async def test_what_fails_or_takes_long_keeps_nothing_else_from_being_made(city: Town) -> None:
    made: list[str] = []

    async def fails() -> None:
        made.append("fails")
        raise ValueError("no such month")

    async def takes_long() -> None:
        made.append("begun")
        if made.count("begun") == 1:
            raise NotYetError(Making(0))

    async def is_last() -> None:
        made.append("last")

    city.context.ahead[:] = [fails, takes_long, is_last]
    await make_ahead(city.context)
    assert made == ["fails", "begun", "begun", "last"]
