"""What it takes to import the ledger of a city: 100,000 machines from CSV and from XLSX.

By the command and by the process that the import page starts; looked at first, as an officer
does, then imported, then imported again, which changes nothing.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import IO, Literal, cast

import msgspec

from benchmarks.city.million import COUNTIES, code_of
from benchmarks.city.settings import write_city
from edge_config.loading.load import load_city
from edge_config.tables.csv_writing import csv_of
from edge_config.tables.workbook_writing import workbook_of
from edge_config.tables.written import WrittenColumn, WrittenSheet
from gateway.city.access.principal import EVERYTHING
from gateway.city.db.upgrade import upgrade
from gateway.city.ledger.sheet.columns.enterprise import ENTERPRISE
from gateway.city.ledger.sheet.columns.equipment import EQUIPMENT
from gateway.city.ledger.uploading.kept import Uploads
from gateway.city.ledger.uploading.outcome import Upload
from gateway.city.ledger.uploading.running import COMMAND
from gateway.city.ledger.uploading.work import Job, Step, write_job
from gateway.relational.database import connect
from tests.support.peers import free_port

SIZES = (10_000, 100_000)
A_SITE, SITES = 50, 2
"""Machines of a site, and sites of an enterprise."""
_COMMAND = (sys.executable, "-m", "gateway", "ledger", "import")

Row = dict[str, object]
What = Literal["check", "apply"]


def measure(sizes: Sequence[int] = SIZES) -> Iterator[Row]:
    """Import ledgers of some sizes from either kind of file, each into an empty city."""
    for machines in sizes:
        for kind in ("csv", "xlsx"):
            for way in (_by_command, _by_page):
                with tempfile.TemporaryDirectory() as name:
                    file = write_city(Path(name), "mqtt://127.0.0.1:1", free_port())
                    files = write_ledger(Path(name), machines, kind)
                    for one in way(file, files):
                        sys.stderr.write(f"bench: import, {machines} machines: {one['name']}\n")
                        yield {"machines": machines, "file": kind} | one


def write_ledger(folder: Path, machines: int, kind: str) -> list[Path]:
    """A ledger as people keep it, with names, sites, makers, serial numbers and dates."""
    firms = range(-(-machines // (A_SITE * SITES)))
    enterprises = _sheet("企业", ENTERPRISE, [_enterprise(number) for number in firms])
    equipment = _sheet("设备", EQUIPMENT, [_machine(number) for number in range(machines)])
    contents = {
        "csv": {"enterprises.csv": [enterprises], "machines.csv": [equipment]},
        "xlsx": {"ledger.xlsx": [enterprises, equipment]},
    }[kind]
    for name, sheets in contents.items():
        body = csv_of(sheets[0]) if kind == "csv" else workbook_of(sheets)
        (folder / name).write_bytes(body)
    return [folder / name for name in contents]


def _sheet(title: str, columns: Sequence[object], rows: Sequence[dict[str, str]]) -> WrittenSheet:
    known = {column.key: column.header.zh for column in columns}  # type: ignore[attr-defined]
    heads = tuple(WrittenColumn(known[key]) for key in rows[0])
    return WrittenSheet(title, heads, [list(row.values()) for row in rows])


def _enterprise(number: int) -> dict[str, str]:
    return {
        "uscc": code_of(number),
        "name": f"虚构{number}号机械有限公司",
        "county": COUNTIES[number % len(COUNTIES)],
        "industry": ("3451", "3311", "2611", "1713")[number % 4],
        "above_scale": "是",
        "employees": str(50 + number),
        "revenue_wan": str(2000 + number),
        "ledger_verified_by": "张三",
        "ledger_verified_on": "2026-03-01",
        "roster": "KEY",
        "roster_from": "2026-01-01",
    }


def _machine(number: int) -> dict[str, str]:
    firm, place = divmod(number, A_SITE * SITES)
    return {
        "uscc": code_of(firm),
        "site_no": str(1 + place // A_SITE),
        "asset_no": f"A-{place % A_SITE:04d}",
        "name": ("1#注塑机", "数控车床", "平面磨床", "加工中心")[number % 4],
        "workshop": f"{1 + place % 5}车间",
        "line": f"{1 + place % 3}线",
        "model": f"XK-{number % 700}",
        "maker": ("甲机床厂", "乙机械厂")[number % 2],
        "serial_no": f"SN{number:07d}",
        "equipment_class": "production",
        "key_equipment": ("是", "否")[number % 2],
        "digital": "是",
        "controller": "FANUC 0i",
        "interfaces": "OPC UA",
        "commissioned_on": f"20{10 + number % 15}-{1 + number % 12:02d}-15",
        "status": "在用",
        "original_value_yuan": str(100_000 + number),
        "verified_by": "李四",
        "verified_on": "2026-03-02",
    }


def _by_command(file: Path, files: Sequence[Path]) -> Iterator[Row]:
    command = (*_COMMAND, *map(str, files), "-c", str(file))
    for name, more in (("check", ("--dry-run",)), ("import", ()), ("import again", ())):
        yield {"name": f"{name}, command", **_cost((*command, *more), b"")[0]}


def _by_page(file: Path, files: Sequence[Path]) -> Iterator[Row]:
    """As the import page does when somebody sends the files, and agrees to what it says."""
    config = load_city(file)
    database = connect(config.database.url, config.data_dir, config.database.password)
    upgrade(database)
    database.close()
    uploads = Uploads(config.data_dir)
    key, now_ms = uploads.begin("bench"), time.time_ns() // 1_000_000
    for one in files:
        uploads.file(key, one.name).write_bytes(one.read_bytes())
    names = tuple(one.name for one in files)
    uploads.keep(key, Upload("bench", now_ms, names, uploads.digest(key)))
    steps: tuple[What, ...] = ("check", "apply")
    for what in steps:
        job = Job(config, key, what, "bench", EVERYTHING, now_ms)
        cost, told = _cost(COMMAND, write_job(job))
        outcome = uploads.outcome(key, what)
        if outcome is None or outcome.problems or outcome.fault:
            raise SystemExit(f"bench: the import was not made: {outcome}")
        yield {"name": f"{what}, page", **cost, **_waited(told)}


def _cost(command: Sequence[str], order: bytes) -> tuple[Row, list[tuple[float, str]]]:
    """What one process cost, and when it told how far it was."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with cast(IO[bytes], process.stdin) as orders, cast(IO[bytes], process.stdout) as answers:
        orders.write(order)
        orders.flush()
        told = [(time.monotonic() - began, line.decode()) for line in answers]
    _, status, used = os.wait4(process.pid, 0)
    seconds, process.returncode = time.monotonic() - began, os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    cost: Row = {
        "seconds": round(seconds, 1),
        "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
        "most_memory_mib": round(used.ru_maxrss / 1024),
    }
    return cost, told


def _waited(told: Sequence[tuple[float, str]]) -> Row:
    """How often it told how far it was, and the longest time in which it said nothing."""
    known = [(at, msgspec.json.decode(line, type=Step)) for at, line in told]
    moments = [at for at, _ in known]
    longest = max((later - at for at, later in pairwise(moments)), default=0)
    begun = {step.step: round(at, 1) for at, step in reversed(known)}
    return {"told": len(known), "longest_silence_s": round(longest, 2), "steps_begun_s": begun}
