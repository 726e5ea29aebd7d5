"""The files of a run, as a factory and a bureau would have written them."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from gateway.demo.cast import SITE, Cast, Enterprise, Machine
from gateway.demo.options import InfluxOptions, Options

PREFIX = "88.999"
"""Industry node of the demonstration's identifiers; nobody has been given it."""

_COMMISSIONED = date(2021, 3, 15)


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports of a run, on loopback.

    Attributes:
        console: of the city.
        broker: of the broker.
        node: of the city's identifier node.
        nodes: of the nodes above it, by level.
        native: of the native protocol of handles, by level.
        control: of what starts and stops lines.
        modbus: by line.
        opcua: by line.
        controllers: of MELSEC and S7 machines, by asset number.
        serial: the serial port of the meters.
        edges: of consoles, by gateway.
    """

    console: int
    broker: int
    node: int
    nodes: Mapping[str, int]
    native: Mapping[str, int]
    control: int
    modbus: Mapping[str, int]
    opcua: Mapping[str, int]
    controllers: Mapping[str, int]
    serial: Path
    edges: Mapping[str, int]


def write_yaml(file: Path, data: Mapping[str, Any]) -> Path:
    """Write a configuration; returns the file."""
    text = yaml.safe_dump(dict(data), allow_unicode=True, sort_keys=False, width=100)
    file.write_text(text, encoding="utf-8")
    return file


def write_secret(file: Path, secret: str) -> Path:
    """Write a secret that only the owner can read; returns the file."""
    file.touch(mode=0o600)  # before the secret is in it
    file.write_text(secret + "\n", encoding="utf-8")
    return file


def city_config(options: Options, ports: Ports, *, password: bool) -> dict[str, Any]:
    """The city's configuration.

    Args:
        options: of the demonstration.
        ports: of the run.
        password: whether the broker wants one.
    """
    broker: dict[str, Any] = {"url": broker_url(options, ports), "protocol": "3.1.1"}
    if password:
        broker["password"] = {"file": "city-password"}
    return {
        "city": {
            "region": "330800",
            "name_zh": "衢州市（演示）",
            "name_en": "Quzhou (demonstration)",
        },
        "demonstration": True,
        "demonstration_control": f"http://127.0.0.1:{ports.control}",
        "data_dir": "city",
        "broker": broker,
        "store": _store(options.influx),
        "console": {"listen": f"127.0.0.1:{ports.console}", "accounts": True},
        "identifier": {"prefix": PREFIX, "review_hours": 0},
        "node": {
            "type": "embedded",
            "listen": f"127.0.0.1:{ports.node}",
            "native_listen": f"127.0.0.1:{ports.native['city']}",
        },
        "silence_ms": 8000,  # a visitor who stops a line must see it soon
        "alerts": {
            "silent_s": 5,
            "cut_off_s": 5,
            "steady_s": 5,
            "check_s": 2,
            "days": "all",
            # Its ledgers are as old as its history; alerts of all of them would hide the others.
            "ledger_days": 730,
        },
    }


def broker_url(options: Options, ports: Ports) -> str:
    """URL of the broker in use."""
    return options.broker or f"mqtt://127.0.0.1:{ports.broker}"


def _store(influx: InfluxOptions | None) -> dict[str, Any]:
    if influx is None:
        return {"type": "embedded"}
    if influx.token_file is None:
        return {"type": "influxdb1", "url": influx.url, "database": influx.database}
    return {
        "type": "influxdb2",
        "url": influx.url,
        "org": influx.org or "",
        "bucket": influx.bucket,
        "token": {"file": str(influx.token_file.absolute())},
    }


def edge_config(
    enterprise: Enterprise, options: Options, ports: Ports, *, password: bool
) -> dict[str, Any]:
    """The configuration of an enterprise's gateway; see :func:`city_config`."""
    northbound: dict[str, Any] = {
        "kind": "qulink",
        "url": broker_url(options, ports),
        "protocol": "3.1.1",
        "state_interval_ms": 2000,
    }
    if password:
        northbound["password"] = {"file": f"{enterprise.gateway}-password"}
    return {
        "gateway": {
            "id": enterprise.gateway,
            "enterprise_uscc": enterprise.uscc,
            "site_no": SITE,
            "synthetic": True,
        },
        "devices": [
            _device(machine, _connection(machine.live or {}, line.id, ports))
            for line in enterprise.lines
            for machine in line.machines
        ],
        "northbound": [northbound],
        "buffer": {"path": f"{enterprise.gateway}.db", "commit_interval_ms": 500},
        "console": {"listen": f"127.0.0.1:{ports.edges[enterprise.gateway or '']}"},
    }


def _device(machine: Machine, connection: Mapping[str, Any]) -> dict[str, Any]:
    entry = machine.live or {}
    device: dict[str, Any] = {
        "id": machine.asset_no.lower(),
        "driver": entry["driver"],
        "profile": entry["profile"],
        "asset_no": machine.asset_no,
        "retry_max_ms": 5000,  # a line that is started again is back while one looks
        "connection": connection,
    }
    if "node" in entry:
        device["parameters"] = {"node": entry["node"]}
    return device


def _connection(entry: Mapping[str, Any], line: str, ports: Ports) -> dict[str, Any]:
    """How a machine of the catalogue is reached."""
    if "node" in entry:
        return {"url": f"opc.tcp://127.0.0.1:{ports.opcua[line]}/"}
    if "meter" in entry:
        return {"serial": str(ports.serial), "meter": entry["meter"]}
    if "controller_port" in entry:
        return {"host": "127.0.0.1", "port": ports.controllers[entry["asset_no"]]}
    return {"host": "127.0.0.1", "port": ports.modbus[line], "unit": entry["unit"]}


def write_ledger(cast: Cast, folder: Path, today: date) -> Sequence[Path]:
    """Write the ledger as the two tables that ``qulink ledger import`` takes."""
    enterprises = folder / "enterprises.csv"
    equipment = folder / "equipment.csv"
    _write_table(enterprises, (_enterprise_row(cast, e, today) for e in cast.enterprises))
    rows = (_equipment_row(e, m) for e in cast.enterprises for m in e.machines)
    _write_table(equipment, rows)
    return enterprises, equipment


def _write_table(file: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    listed = list(rows)
    with file.open("w", encoding="utf-8-sig", newline="") as target:
        writer = csv.DictWriter(target, listed[0].keys())
        writer.writeheader()
        writer.writerows(listed)


def _enterprise_row(cast: Cast, enterprise: Enterprise, today: date) -> dict[str, Any]:
    data = enterprise.data
    verified = data["verified"]
    return {
        "uscc": data["uscc"],
        "name": data["name"],
        "county": data["county"],
        "industry": data["industry"],
        "functional_area": data.get("area", ""),
        "above_scale": "yes",
        "ledger_verified_by": "演示核实员" if verified else "",
        "ledger_verified_on": today - timedelta(days=600) if verified else "",
        "identifier_code": data["code"],
        "roster": cast.roster if data["key"] else "",
        "roster_from": date(2020, 1, 1) if data["key"] else "",
        "roster_approved_by": cast.approved_by if data["key"] else "",
    }


def _equipment_row(enterprise: Enterprise, machine: Machine) -> dict[str, Any]:
    networked = machine.live is not None
    return {
        "uscc": enterprise.uscc,
        "site_no": SITE,
        "asset_no": machine.asset_no,
        "name": machine.name,
        "workshop": "一车间",
        "model": (machine.live or {}).get("profile", ""),
        "maker": machine.maker,
        "category": machine.category,
        "equipment_class": machine.equipment_class,
        "key_equipment": "yes" if machine.key else "no",
        "digital": "yes" if networked else "no",
        "controller": machine.controller,
        "interfaces": (machine.live or {}).get("driver", ""),
        "commissioned_on": _COMMISSIONED,
        "status": "in_use",
        "entered_by": "演示录入员",
        "verified_by": "演示核实员",
        "verified_on": _COMMISSIONED,
    }
