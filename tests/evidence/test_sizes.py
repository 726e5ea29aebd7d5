"""What raw days take is reported month by month."""

import json
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection
from typer.testing import CliRunner

from gateway.city.db import monthly, sizes
from gateway.city.db.sizes import month_sizes
from gateway.city.evidence.rows import write_days
from gateway.cli.main import build
from gateway.core.days import DAY_MS, HOUR_MS, day_start_ms
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


def test_a_pass_counts_what_was_counted_longest_ago(database: Database) -> None:
    """So that no page counts: a few months an hour, each once a day, and again if a clock ran."""
    fill(database)
    database.run_now(monthly.ensure, [date(2026, 3, 1)])

    def pass_at(now_ms: int) -> list[int]:
        found = database.read_now(sizes.count_due, now_ms)
        database.run_now(sizes.keep, found, now_ms)
        return [one.month for one in found]

    assert [one.size for one in database.read_now(sizes.counted_sizes)] == [None] * 3
    assert [pass_at(at) for at in (HOUR_MS, 2 * HOUR_MS, 3 * HOUR_MS)] == [
        [202603, 202602],
        [202601],
        [],
    ]
    kept = database.read_now(sizes.counted_sizes)
    whole = {one.month: one for one in database.read_now(month_sizes)}
    assert [one.size for one in kept] == [whole[one] for one in (202603, 202602, 202601)]
    assert [one.counted_ms for one in kept] == [HOUR_MS, HOUR_MS, 2 * HOUR_MS]
    assert pass_at(HOUR_MS + DAY_MS) == [202603, 202602]
    assert pass_at(0) == [202601, 202603]  # the clock was set back: what it said does not hold
    database.run_now(monthly.drop, 202602)
    database.run_now(sizes.keep, [], 0)
    assert [one.month for one in database.read_now(sizes.counted_sizes)] == [202603, 202601]


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
