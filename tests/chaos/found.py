"""What the city holds when all is over, read with plain SQL from its files or its InfluxDB."""

import json
import sqlite3
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx

from tests.chaos.devices import NUMBER
from tests.chaos.judge import Account, Found, Interval, Row

DEVICE = "unit-"
"""Devices are called so, and their unit's number."""

_ROWS = "SELECT device, time_ms, body, status FROM points JOIN series ON series.id = points.series"
_NUMBERS = f"""
    SELECT device, max(json_extract(body, '$.{NUMBER}'))
    FROM points JOIN series ON series.id = points.series GROUP BY device
"""
_GAPS = "SELECT device, tags, cause, from_ms, to_ms FROM gap"
_BOOKS = "SELECT device, due, ok, failed, skipped, suppressed, buffered, dropped FROM edge_books"


def unit_of(device: str) -> int:
    """The unit of a device."""
    return int(device.removeprefix(DEVICE))


def embedded_rows(file: Path) -> list[Row]:
    """Everything in an embedded store."""
    return [
        Row(unit_of(device), time, json.loads(body), frozenset(json.loads(status or "{}")))
        for device, time, body, status in _select(file, _ROWS)
    ]


def influx_rows(url: str) -> list[Row]:
    """Everything in an InfluxDB 1.x; ``<tag>.q`` beside a value is its status."""
    query = {"db": "qulink", "q": "SELECT * FROM /.*/", "epoch": "ms"}
    answer = httpx.get(f"{url}/query", params=query, timeout=60, trust_env=False)
    answer.raise_for_status()
    rows = []
    for series in answer.json()["results"][0].get("series", []):
        rows += [
            _influx_row(dict(zip(series["columns"], row, strict=True))) for row in series["values"]
        ]
    return rows


def _influx_row(fields: dict[str, Any]) -> Row:
    given = {name: value for name, value in fields.items() if isinstance(value, int | float)}
    time = given.pop("time")
    values = {name: value for name, value in given.items() if not name.endswith(".q")}
    doubted = {
        name.removesuffix(".q") for name, code in given.items() if name[-2:] == ".q" and code
    }
    return Row(unit_of(fields["device"]), time, values, frozenset(doubted))


def found_in(database: Path, rows: list[Row]) -> Found:
    """Rows, with the gaps and books of the city's database."""
    return Found(rows, _gaps(database), _books(database))


def newest_numbers(file: Path) -> dict[int, int]:
    """By unit: the newest answer in an embedded store; empty while there is none."""
    try:
        return {unit_of(device): number for device, number in _select(file, _NUMBERS)}
    except sqlite3.OperationalError:
        return {}


def _gaps(database: Path) -> list[Interval]:
    """Gaps of whole devices, or of the number, by which a poll is known."""
    return [
        Interval(unit_of(device) if device else None, cause, from_ms, to_ms)
        for device, tags, cause, from_ms, to_ms in _select(database, _GAPS)
        if not json.loads(tags) or NUMBER in json.loads(tags)
    ]


def _books(database: Path) -> dict[int, Account]:
    books: dict[int, Account] = defaultdict(Account)
    for device, *counters, dropped in _select(database, _BOOKS):
        account = books[unit_of(device)]
        names = ("due", "ok", "failed", "skipped", "suppressed", "buffered")
        for name, counter in zip(names, counters, strict=True):
            setattr(account, name, getattr(account, name) + counter)
        account.dropped += sum(json.loads(dropped).values())
    return books


def _select(file: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)) as connection:
        return connection.execute(query).fetchall()
