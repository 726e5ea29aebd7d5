"""What raw days take is reported month by month."""

import json
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection
from typer.testing import CliRunner

from gateway.city.db import sizes
from gateway.city.db.sizes import month_sizes
from gateway.city.evidence.rows import write_days
from gateway.cli.main import build
from gateway.core.days import day_start_ms
from gateway.relational.database import Database
from tests.support.city import city_file
from tests.support.city_db import USCCS, add_enterprise, add_machine, sqlite_city

DAYS = (date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 2))


def fill(database: Database) -> None:
    def write(connection: Connection) -> None:
        add_enterprise(connection, USCCS[0])
        at = {"machine_id": add_machine(connection, USCCS[0], "A-1"), "source": "controller"}
        at |= {"synthetic": False, "gateway": "gw-1", "uncertain_hours": 0, "replayed_hours": 0}
        rows = [
            at | {"day": day, "good_hours": 1, "first_ms": one, "last_ms": one, "seeded": False}
            for day in DAYS
            for one in [day_start_ms(day)]
        ]
        write_days(connection, rows)
        write_days(connection, [rows[2] | {"late_days": 9, "good_hours": 2}])

    database.run_now(write)


def test_months_are_counted_and_measured(database: Database) -> None:
    assert database.read_now(month_sizes) == []
    fill(database)
    found = database.read_now(month_sizes)
    assert [(one.month, one.rows, one.late) for one in found] == [(202601, 1, 0), (202602, 3, 1)]
    assert all(one.size is not None and one.size >= 4096 for one in found)


def test_the_command_tells_months_and_their_sum(tmp_path: Path) -> None:
    made = sqlite_city(tmp_path)
    file = city_file(tmp_path, "127.0.0.1:1")

    def said(*more: str) -> str:
        done = CliRunner().invoke(build(["evidence"]), ["evidence", "size", "-c", str(file), *more])
        assert done.exit_code == 0, done.output
        return done.output

    assert said() == "there is no evidence yet\n"
    fill(made)
    made.close()
    head, *lines = (line.split() for line in said().splitlines())
    assert (head[0], [one[:3] for one in lines]) == (
        "month",
        [["2026-01", "1", "0"], ["2026-02", "3", "1"], ["all", "4", "1"]],
    )
    sizes_told = [one["size"] for one in json.loads(said("--json"))]
    assert float(lines[2][4]) == sum(sizes_told) / 4 >= 2048


def test_where_sqlite_cannot_tell_sizes_they_are_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some are built without what measures tables; nothing is not nought."""
    made = sqlite_city(tmp_path)
    fill(made)
    monkeypatch.setitem(sizes._BYTES, "sqlite", "SELECT pgsize FROM no_dbstat WHERE name = :name")
    assert [one.size for one in made.read_now(month_sizes)] == [None, None]
    made.close()
    file = city_file(tmp_path, "127.0.0.1:1")
    done = CliRunner().invoke(build(["evidence"]), ["evidence", "size", "-c", str(file)])
    assert [line.split()[3:] for line in done.output.splitlines()[1:]] == [["unknown", "–"]] * 3
