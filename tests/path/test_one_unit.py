"""From the configuration of an edge to the figures: one unit under two asset numbers."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from gateway.city.app import City
from gateway.city.ledger.importer import import_files
from gateway.city.rates.reasons import Reason
from gateway.city.rates.reports.drilldown import machine_facts
from gateway.city.registry import enrolment
from tests.support.broker import Mosquitto
from tests.support.city import USCC, assembled, city_config, running
from tests.support.peers import free_port, wait_for_port
from tests.support.waiting import until

MACHINE = Path(__file__).parents[1] / "edge/modbus_machine.py"
ADDRESSES = {"one": "holding:0:uint16", "other": "holding:7:uint16"}
"""Profiles, and what each reads."""
DEVICES = {"A-1": (1, "one"), "A-2": (1, "one"), "A-3": (2, "one"), "A-4": (1, "other")}
"""Unit and profile of each number."""


@contextmanager
def process(*command: str) -> Iterator[None]:
    started = subprocess.Popen([sys.executable, *command])
    try:
        yield
    finally:
        started.kill()
        started.wait(10)


@pytest.fixture
def port() -> Iterator[int]:
    chosen = free_port()
    with process(str(MACHINE), str(chosen)):
        wait_for_port(chosen)
        yield chosen


def edge_file(folder: Path, port: int, broker: str) -> Path:
    profiles = [
        {
            "name": name, "driver": "modbus", "source": "controller",
            "groups": [{"name": "g", "tags": [{"name": "speed", "address": address}]}],
        }
        for name, address in ADDRESSES.items()
    ]  # fmt: skip
    devices = [
        {
            "id": number.lower(), "driver": "modbus", "profile": profile, "asset_no": number,
            "timeout_ms": 2_000 + at,  # a wait is no part of what a unit is
            "connection": {"host": "127.0.0.1", "port": port, "unit": unit, "window": 1 + at},
        }
        for at, (number, (unit, profile)) in enumerate(DEVICES.items())
    ]  # fmt: skip
    document = {
        "gateway": {"id": "gw-1", "enterprise_uscc": USCC},
        "profiles": profiles,
        "devices": devices,
        "northbound": [{"url": broker, "state_interval_ms": 500}],
        "buffer": {"path": str(folder / "b.db"), "commit_interval_ms": 50},
    }
    file = folder / "gateway.yaml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    return file


def ledger_files(folder: Path) -> list[Path]:
    enterprises, machines = folder / "e.csv", folder / "m.csv"
    heads = "uscc,name,county,industry,above_scale"
    enterprises.write_text(f"{heads}\n{USCC},甲厂,常山县,3451,是\n", encoding="utf-8")
    rows = [f"{USCC},{number},磨床,production,in_use,2020-01-01" for number in DEVICES]
    heads = "uscc,asset_no,name,equipment_class,status,commissioned_on"
    machines.write_text("\n".join([heads, *rows]) + "\n", encoding="utf-8")
    return [enterprises, machines]


def verdicts(city: City) -> dict[str, Reason]:
    now_ms = city.now_ms()
    facts = city.database.run_now(machine_facts, "ENR-B", None, now_ms, demonstration=False)
    return {one.asset_no: one.reason for one in facts}


async def test_it_counts_once_whatever_else_differs(
    mosquitto: Mosquitto, tmp_path: Path, port: int
) -> None:
    now_ms = time.time_ns() // 1_000_000
    async with assembled(city_config(mosquitto.url, tmp_path / "city")) as city:
        city.database.run_now(import_files, ledger_files(tmp_path), now_ms)
        city.database.run_now(enrolment.add, "gw-1", USCC, "1", now_ms)
        file = edge_file(tmp_path, port, mosquitto.url)
        async with running(city):
            with process("-m", "gateway", "run", str(file)):
                networked = dict.fromkeys(DEVICES, Reason.NETWORKED)
                # whichever of the two was read first counts
                either = [networked | {name: Reason.SAME_UNIT} for name in ("A-1", "A-2")]

                async def counted() -> bool:
                    await city.ingest.evidence.flush()
                    return verdicts(city) in either

                await until(counted)
