"""Machines of which a date is missing are named, with the days that are undetermined."""

from datetime import date, timedelta

from sqlalchemy import Connection, delete, insert, update

from gateway.city.console.pages.machine import machine_address
from gateway.city.db import tables
from gateway.city.ledger.names import MachineName
from gateway.core.days import day_of
from tests.console.http import get
from tests.console.town import NOW_MS, Town, uscc_of

MACHINE = MachineName(uscc_of(0), "1", "A-001")


def enter(connection: Connection, sealed_on: date, entered: date) -> None:
    """It was sealed on a day, and is in use again, nobody wrote since when."""
    own = tables.status_rows
    rows = [
        {"equipment_id": 1, "valid_from": sealed_on, "status": "sealed", "dated": True},
        {"equipment_id": 1, "valid_from": entered, "status": "in_use", "dated": False},
    ]
    connection.execute(delete(own).where(own.c.equipment_id == 1, own.c.valid_from >= sealed_on))
    connection.execute(insert(own), rows)


def forget_its_start(connection: Connection, entered: date) -> None:
    own, row = tables.status_rows, tables.equipment_rows
    connection.execute(delete(own).where(own.c.equipment_id == 1))
    entry = {"equipment_id": 1, "valid_from": entered, "status": "in_use", "dated": False}
    connection.execute(insert(own), [entry])
    connection.execute(update(row).where(row.c.id == 1).values(commissioned_on=None))


async def test_a_change_without_a_date_is_named_with_its_days(address: str, city: Town) -> None:
    today = day_of(NOW_MS)
    city.database.run_now(enter, today - timedelta(days=4), today)
    rows = (await get(f"{address}/quality?format=json")).json()["rows"]
    (found,) = [row for row in rows if row["finding"].startswith("undated.")]
    assert (found["finding"], found["asset_no"]) == ("undated.status", "A-001")
    quality = (await get(f"{address}/quality?lang=zh")).text
    assert "改为“在用”的状态起始日期缺失" in quality
    assert f"{today - timedelta(days=4)} 之后至 {today} 之前不明" in quality
    machine = (await get(f"{address}{machine_address(*MACHINE)}?lang=zh")).text
    assert "2 天不明" in machine  # the two others are days of rest
    assert "状态起始日期或投用日期缺失" in machine


async def test_a_machine_without_any_date_is_named(address: str, city: Town) -> None:
    city.database.run_now(forget_its_start, day_of(NOW_MS))
    rows = (await get(f"{address}/quality?format=json")).json()["rows"]
    assert [row["finding"] for row in rows if row.get("asset_no") == "A-001"] == ["undated.start"]
    of_enterprise = (await get(f"{address}/enterprises/{uscc_of(0)}?format=json")).json()["rows"]
    (line,) = [row for row in of_enterprise if row["asset_no"] == "A-001"]
    assert (line["counted"], line["networked"]) == (True, False)
    assert (line["reason"], line["reason_zh"]) == (
        "start_undated",
        "投用日期缺失，当月不计入已联网",
    )
