"""A plant that rests by its own week, or stands still by plan, is no alarm."""

from datetime import date
from pathlib import Path

from gateway.city.ledger.papers.entering import enter_files
from gateway.city.ledger.schedules.sort import SCHEDULES
from gateway.city.ledger.stops.sort import STOPS
from gateway.core.days import HOUR_MS, day_start_ms
from gateway.relational.database import Database
from tests.alerts.test_alerting import World, enterprises, gateways, silence
from tests.support.city_db import USCCS, add_machine

EARLIER_MS = day_start_ms(date(2025, 11, 3))
TUESDAY_MS = day_start_ms(date(2025, 11, 25))
_WEEK = (
    "统一社会信用代码,厂区编号,排班起始日期,排班终止日期,工作日,法定节假日,排班原因,依据文件,填报人\n"
    f"{USCCS[0]},,2025-11-03,,一二四五六日,照常,错峰用电,厂规 5 号,王五\n"
)
_STOP = (
    "统一社会信用代码,厂区编号,车间,产线,资产编号,停机起始日期,停机终止日期,停机原因,依据文件,填报人\n"
    f"{USCCS[1]},1,,,,2025-11-26,2025-11-27,检修,检修计划 3 号,王五\n"
)


async def test_a_plant_at_rest_is_no_alarm(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path)
    world.do(enterprises, 3)
    for number, name in enumerate(("by-week", "by-plan", "plain")):
        world.do(gateways, name, uscc=USCCS[number])
        world.do(add_machine, USCCS[number], "A-1")
        world.do(silence, name, TUESDAY_MS + 24 * HOUR_MS - 60_000)  # a minute before Wednesday
    for sort, text in ((SCHEDULES, _WEEK), (STOPS, _STOP)):
        file = tmp_path / f"{sort.name}.csv"
        file.write_text(text, encoding="utf-8")
        assert world.do(enter_files, sort, [file], EARLIER_MS).added == 1
    world.now_ms = TUESDAY_MS + 47 * HOUR_MS
    await world.later(0)
    assert [one.subject.key for one in world.alerts()] == ["plain"]
    await world.later(60 + 8 * 60 + 14)  # Thursday, a quarter past eight
    assert {one.subject.key for one in world.alerts()} == {"plain", "by-week"}
    await world.later(24 * 60)  # Friday
    assert len(world.alerts()) == 3
