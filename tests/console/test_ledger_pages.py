"""The ledger on the page: who sees and corrects which rows, preview, and who comes second."""

import re
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from gateway.city.access.audit import Action, EntryFilter, entries
from gateway.city.access.principal import Role
from gateway.city.db.tables import enterprise, equipment
from gateway.city.ledger.bitemporal.entries import MACHINE, held_steps
from gateway.city.ledger.bitemporal.steps import at
from gateway.city.ledger.history import statuses_on
from gateway.core.days import day_of
from tests.console.people import browser, known, peopled, post
from tests.console.town import NOW_MS, PLACES, Town, uscc_of

MACHINE_ID, OTHER = 1, 2001  # of the first enterprise, and of the third
ROW = f"/ledger/machines/{MACHINE_ID}"


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[tuple[Town, httpx.AsyncClient, str]]:
    """A town, and the browser of an officer of the bureau."""
    async with peopled(tmp_path) as (town, base), browser(base) as officer:
        await known(town, officer, "wang.li", Role.BUREAU, "all")
        yield town, officer, base


def fields_of(page: str) -> dict[str, str]:
    """What the last form of a page would send, as it is shown."""
    form = page.rsplit("<form", 1)[-1]
    found = dict(re.findall(r'<input[^>]*name="(\w+)" value="([^"]*)"', form))
    for name, options in re.findall(r'<select name="(\w+)".*?>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="(\w+)" selected', options)
        found[name] = chosen[1] if chosen else ""
    found.pop("csrf")  # of the browser that sends it
    return found


def value(town: Town, name: str) -> object:
    query = select(equipment.c[name]).where(equipment.c.id == MACHINE_ID)
    with town.database.engine.connect() as connection:
        return connection.scalar(query)


async def test_an_officer_corrects_a_row_from_a_day_on(
    made: tuple[Town, httpx.AsyncClient, str],
) -> None:
    town, officer, _ = made
    form = fields_of((await officer.get(f"{ROW}/correct")).text)
    fields = form | {"equipment_class": "aux", "name": "1#注塑机", "valid_from": "2025-11-03"}
    preview = await post(officer, f"{ROW}/correct", **fields)
    assert preview.status_code == 200
    assert "1#注塑机" in preview.text and "2025-11-03" in preview.text
    assert value(town, "equipment_class") == "production"  # nothing was changed yet
    saved = await post(officer, f"{ROW}/correct", confirm="1", **fields)
    assert saved.status_code == 303, saved.text
    assert (value(town, "equipment_class"), value(town, "name")) == ("aux", "1#注塑机")
    steps = town.database.read_now(held_steps, MACHINE, [MACHINE_ID])[MACHINE_ID]
    classes = [(at(steps, date(2025, 11, day)) or {})["equipment_class"] for day in (2, 3)]
    assert classes == ["production", "aux"]
    page = (await officer.get(f"{saved.headers['location']}&lang=zh")).text
    assert "已更正" in page and "辅助设备" in page and "wang.li" in page
    (last,) = town.database.read_now(entries, EntryFilter(Action.LEDGER_CORRECTION))
    assert last.who.split()[0] == "wang.li"
    assert last.subject.startswith(uscc_of(0))


async def test_the_second_of_two_officers_is_told(
    made: tuple[Town, httpx.AsyncClient, str],
) -> None:
    town, officer, base = made
    async with browser(base) as other:
        await known(town, other, "li.wei", Role.BUREAU, "all")
        form = fields_of((await officer.get(f"{ROW}/correct")).text)
        first = await post(other, f"{ROW}/correct", confirm="1", **form | {"workshop": "二车间"})
        assert first.status_code == 303
        for sure in ({}, {"confirm": "1"}):
            fields = form | {"workshop": "三车间", "lang": "zh"} | sure
            second = await post(officer, f"{ROW}/correct?lang=zh", **fields)
            assert second.status_code == 409
            assert "已被他人更改" in second.text and "三车间" in second.text
        assert value(town, "workshop") == "二车间"
        again = fields_of(second.text) | {"workshop": "三车间"}
        assert (await post(officer, f"{ROW}/correct", confirm="1", **again)).status_code == 303


async def test_what_is_wrong_is_said_at_its_cell_and_changes_nothing(
    made: tuple[Town, httpx.AsyncClient, str],
) -> None:
    town, officer, _ = made
    form = fields_of((await officer.get(f"{ROW}/correct")).text)
    fields = form | {"name": "", "valid_from": "2999-01-01", "verified_by": "张三"}
    answer = await post(officer, f"{ROW}/correct", confirm="1", **fields)
    assert answer.status_code == 400
    wrong = set(re.findall(r'id="wrong-(\w+)"', answer.text))
    assert wrong == {"name", "valid_from", "verified_on"}
    assert "lies in the future" in (await post(officer, f"{ROW}/correct?lang=en", **fields)).text
    same = await post(officer, f"{ROW}/correct?lang=zh", **form)
    assert "没有改动" in same.text and "confirm" not in same.text
    assert value(town, "name") != ""


async def test_an_enterprise_is_corrected_too(made: tuple[Town, httpx.AsyncClient, str]) -> None:
    town, officer, _ = made
    address = f"/ledger/enterprises/{uscc_of(0)}"
    form = fields_of((await officer.get(f"{address}/correct")).text)
    fields = form | {"employees": "300", "revenue_wan": "2000", "functional_area": "QZ-ZZXC"}
    saved = await post(officer, f"{address}/correct", confirm="1", **fields)
    assert saved.status_code == 303, saved.text
    listed = (await officer.get("/ledger/enterprises?lang=zh")).text
    assert "中型" in listed and "未知" in listed
    with town.database.engine.connect() as connection:
        query = select(enterprise.c.functional_area).where(enterprise.c.uscc == uscc_of(0))
        assert connection.scalar(query) == "QZ-ZZXC"


async def test_a_mistyped_row_is_withdrawn(made: tuple[Town, httpx.AsyncClient, str]) -> None:
    town, officer, _ = made
    assert (await post(officer, f"{ROW}/withdraw", reason=" ")).status_code == 400
    assert (await post(officer, f"{ROW}/withdraw", reason="录入两次")).status_code == 303
    status = town.database.read_now(statuses_on, [MACHINE_ID], day_of(NOW_MS))
    assert status == {MACHINE_ID: "withdrawn"}
    assert "录入两次" in (await officer.get(ROW)).text


async def test_rows_of_others_are_not_there(made: tuple[Town, httpx.AsyncClient, str]) -> None:
    town, _, base = made
    async with browser(base) as one:
        await known(town, one, "qy", Role.ENTERPRISE, f"enterprise {uscc_of(0)}")
        assert (await one.get(ROW)).status_code == 200
        assert (await one.get(f"/ledger/enterprises/{uscc_of(0)}")).status_code == 200
        for path in (
            f"/ledger/machines/{OTHER}",
            f"/ledger/enterprises/{uscc_of(2)}",
            "/ledger/machines/x",
        ):
            assert (await one.get(path)).status_code == 404, path
        for path in (f"/ledger?enterprise={uscc_of(2)}", f"/ledger?after={OTHER}", "/ledger"):
            assert PLACES[2][2] not in (await one.get(path)).text, path
        assert (await one.get(f"{ROW}/correct")).status_code == 403
        assert "withdraw" not in (await one.get(ROW)).text


async def test_pages_follow_each_other_without_a_gap(
    made: tuple[Town, httpx.AsyncClient, str],
) -> None:
    town, officer, _ = made
    found, address = list[str](), "/ledger"
    while address:
        page = (await officer.get(address)).text
        found += re.findall(r'href="/ledger/machines/(\d+)"', page)
        onward = re.search(r'href="([^"]*)" rel="next"', page)
        address = "/ledger" + onward[1].replace("&amp;", "&") if onward else ""
    with town.database.engine.connect() as connection:
        held = connection.scalars(select(equipment.c.id)).all()
    assert sorted(map(int, found)) == sorted(held) and len(held) > 50
