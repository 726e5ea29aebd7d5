"""Asset numbers as plants write them: from the ledger's file to evidence, values and figures."""

import time
from pathlib import Path

import pytest

from gateway.city.ledger.importer import import_files
from gateway.city.ledger.names import MachineName
from gateway.city.rates.reports.drilldown import machine_facts
from gateway.city.registry import enrolment
from gateway.core.days import day_of
from tests.support.broker import Mosquitto
from tests.support.city import (
    USCC,
    assembled,
    batch_of,
    city_config,
    machine_now,
    proofs_of,
    running,
    schema_of,
    sender,
)

NUMBERS = ("1#注塑机", "A/01", "数控 01", "12号", "(3)", "a,b=c", "A\\1", "é–1", "x" * 64)
HEADS = "uscc,name,county,industry,above_scale\n"
ROWS = "uscc,asset_no,name,equipment_class,status,commissioned_on\n"


def write_ledger(folder: Path) -> list[Path]:
    enterprises, machines = folder / "e.csv", folder / "m.csv"
    enterprises.write_text(f"{HEADS}{USCC},甲厂,常山县,3451,是\n", encoding="utf-8")
    lines = (f'{USCC},"{number}",磨床,production,in_use,2020-01-01\n' for number in NUMBERS)
    machines.write_text(ROWS + "".join(lines), encoding="utf-8")
    return [enterprises, machines]


@pytest.mark.parametrize("spelling", [str, str.upper])
async def test_such_machines_count_and_are_shown(
    mosquitto: Mosquitto, tmp_path: Path, spelling: type[str]
) -> None:
    now_ms = time.time_ns() // 1_000_000
    sent = schema_of("speed", assets=tuple(map(spelling, NUMBERS)))
    async with assembled(city_config(mosquitto.url, tmp_path / "city")) as city:
        city.database.run_now(import_files, write_ledger(tmp_path), now_ms)
        city.database.run_now(enrolment.add, "gw-1", USCC, "1", now_ms)
        async with running(city), sender(mosquitto.port, "gw-1") as gateway:
            await gateway.send(1, sent, batch_of(sent, now_ms, *map(float, range(len(NUMBERS)))))
            await gateway.acked(1)
            assert {one["day"] for one in await proofs_of(city)} == {day_of(now_ms)}
            for at, number in enumerate(NUMBERS):
                machine = await machine_now(city, MachineName(USCC, "1", number))
                assert machine is not None, number
                assert [one.value for one in machine.values.values()] == [float(at)]
                series = next(iter(machine.series.values()))
                assert (await city.store.latest(series)).keys() == machine.values.keys()
        facts = city.database.run_now(machine_facts, "ENR-B", None, now_ms, demonstration=False)
    assert {one.reason.networked for one in facts} == {True}
    assert len(facts) == len(NUMBERS)
