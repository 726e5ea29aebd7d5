"""Definition records and the plan as data, and the commands that print them."""

import json
import time
from datetime import date
from fractions import Fraction
from pathlib import Path
from subprocess import CompletedProcess
from typing import get_args

import pytest
import yaml
from sqlalchemy import update

from edge_config.models.identifiers.suffix import SuffixPattern
from gateway.city.db.schema.identifiers import identifier
from gateway.city.db.tables import enterprise
from gateway.city.identifiers.issuing import issue
from gateway.city.ledger.codes import EQUIPMENT_CLASSES, STATUSES, WITHDRAWN
from gateway.city.rates.definitions import (
    DefinitionError,
    builtin_definitions,
    earlier_definitions,
    load_definitions,
    open_questions,
)
from gateway.city.rates.frozen.results import CORRECTIONS
from gateway.city.rates.model import EquipmentClass, LedgerStatus
from gateway.city.rates.period import frozen_as, period_of
from gateway.city.rates.plan import plan_on, plan_path, target
from gateway.city.rates.reports.shown import percent_text
from gateway.cli.city.rates.correct_command import Why
from gateway.core.days import day_start_ms
from gateway.relational.database import connect
from tests.support.city_db import USCCS, add_days, add_enterprise, add_machine, sqlite_city
from tests.support.command import qulink as command
from tests.support.registering import rules


def test_the_definitions_and_their_questions() -> None:
    records = builtin_definitions()
    assert list(records) == ["ENR-A", "ENR-B", "ENR-C", "ENR-D", "DIG-A", "SENS", "ONL", "COV"]
    for record in records.values():
        assert len(open_questions(record)) == len(record.open_questions)
        assert all(question.zh != question.en for question in open_questions(record))
    assert len(records["ENR-A"].open_questions) == 11


def test_any_change_changes_the_hash() -> None:
    record = builtin_definitions()["ENR-A"]
    assert record.hash == record.model_copy().hash
    assert record.hash != record.model_copy(update={"version": record.version + 1}).hash
    assert record.hash != record.model_copy(update={"formula_zh": "另一个"}).hash


def own_records(tmp_path: Path, **changes: object) -> Path:
    record = builtin_definitions()["ENR-A"].model_dump(mode="json") | changes
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump({"definitions": [record]}), encoding="utf-8")
    return path


def test_a_city_adds_records_or_newer_versions(tmp_path: Path) -> None:
    added = load_definitions(own_records(tmp_path, id="ENR-X", level=1), None)
    assert added["ENR-X"].level == 1
    newer = load_definitions(own_records(tmp_path, version=4, classes=["production", "aux"]), None)
    assert newer["ENR-A"].classes == ("production", "aux")
    with pytest.raises(DefinitionError, match="give it version 4 or another id"):
        load_definitions(own_records(tmp_path, level=1), None)


def test_wrong_records_are_named(tmp_path: Path) -> None:
    named = r"own.yaml:\d+: definitions.0.agregate: .*'aggregate'.*(\n.*)*definitions.0.level: "
    with pytest.raises(DefinitionError, match=named):
        load_definitions(own_records(tmp_path, level=9, agregate="pooled"), None)
    with pytest.raises(DefinitionError, match=r"absent\.yaml"):
        load_definitions(tmp_path / "absent.yaml", None)
    (tmp_path / "broken.yaml").write_text("a: [")
    with pytest.raises(DefinitionError, match=r"broken\.yaml:[12]: "):
        load_definitions(tmp_path / "broken.yaml", None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": ["produktion"]}, "classes.0: Input should be 'production', 'aux' or 'test'"),
        ({"statuses": ["在用"]}, "statuses.0: Input should be 'in_use'"),
        ({"scope": {"kind": "roster"}}, "scope: a roster needs its code as id"),
        ({"scope": {"kind": "rule", "id": "big"}}, "there is no rule 'big'"),
        ({"level": 1, "denominator_level": 2}, "K would not be a part of N"),
        ({"bands": [{"above": 0, "upto": 60, "score": 1}]}, "bands must follow one another"),
        (
            {
                "bands": [
                    {"above": 0, "upto": 50, "score": 1},
                    {"above": 60, "upto": 100, "score": 2},
                ]
            },
            "bands must follow one another",
        ),
    ],
)
def test_records_that_would_count_nonsense_are_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(DefinitionError) as caught:
        load_definitions(own_records(tmp_path, id="ENR-X", **changes), None)
    assert message in str(caught.value)


def test_records_know_the_codes_of_the_ledger() -> None:
    assert set(get_args(EquipmentClass)) == set(EQUIPMENT_CLASSES)
    assert set(get_args(LedgerStatus)) == set(STATUSES) - {WITHDRAWN}


def test_a_record_is_changed_with_its_version_only() -> None:
    """Months are stored with these; who changes a record raises its version and adds a line."""
    records = [*builtin_definitions().values(), *earlier_definitions()]
    assert {(one.id, one.version): one.hash[:16] for one in records} == {
        ("ENR-A", 3): "b4f626aca90ec170",
        ("ENR-A", 2): "b83a206ac6dcc16b",
        ("ENR-B", 1): "90a6c7305b02c1ee",
        ("ENR-C", 1): "8e21a625840ce591",
        ("ENR-D", 2): "a2ca3d18d60dca7c",
        ("ENR-D", 1): "6e54e3ed9eb7503f",
        ("DIG-A", 1): "f82562bf670b545f",
        ("SENS", 1): "e25f1d31120db078",
        ("ONL", 1): "2b45529024f88ec7",
        ("COV", 1): "874e9e2ce7366865",
    }


def test_the_plan_has_three_points_and_the_rest_is_marked_as_interpolated() -> None:
    shown = [(one.year, percent_text(one.percent), one.interpolated) for one in plan_path()]
    assert shown == [
        (2019, "47.73", False),
        (2020, "48.49", True),
        (2021, "49.24", True),
        (2022, "50.00", False),
        (2023, "53.33", True),
        (2024, "56.67", True),
        (2025, "60.00", False),
    ]
    assert plan_on(date(2025, 12, 31)) == target().percent == 60
    assert plan_on(date(2019, 12, 30)) is plan_on(date(2026, 1, 1)) is None
    start, end = Fraction("50"), Fraction(160, 3)
    assert plan_on(date(2023, 7, 2)) == start + (end - start) * Fraction(183, 365)


@pytest.mark.parametrize(
    ("day", "status"),
    [
        (date(2026, 12, 4), None),
        (date(2026, 12, 5), "P"),
        (date(2026, 12, 19), "P"),
        (date(2026, 12, 20), "F"),
    ],
)
def test_freeze_calendar(day: date, status: str | None) -> None:
    assert frozen_as("2026-11", day_start_ms(day)) == status


def test_a_month_is_an_asia_shanghai_month() -> None:
    midnight = day_start_ms(date(2026, 11, 1))
    assert period_of(None, midnight - 1, None).month == "2026-10"
    assert period_of(None, midnight, None).as_of == date(2026, 11, 1)
    assert period_of("2026-02", midnight, None).as_of == date(2026, 2, 28)


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """A demonstration city with two machines, one networked last month."""
    path = tmp_path / "city.yaml"
    settings = {
        "city": {"region": "330800", "name_zh": "衢州市", "name_en": "Quzhou"},
        "broker": {"url": "mqtt://127.0.0.1:1883"},
        "identifier": {"prefix": "88.999"},
        "data_dir": "data",
        "demonstration": True,
    }
    path.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
    database = sqlite_city(tmp_path / "data")

    def fill(connection: object) -> None:
        add_enterprise(connection, USCCS[0])  # type: ignore[arg-type]
        machine = add_machine(connection, USCCS[0], "A1")  # type: ignore[arg-type]
        add_machine(connection, USCCS[0], "A2")  # type: ignore[arg-type]
        days = [date(2026, 1, day) for day in range(1, 32)]
        add_days(connection, machine, days, synthetic=True)  # type: ignore[arg-type]

    database.run_now(fill)
    database.close()
    return path


def qulink(city: Path, *arguments: str, columns: int = 160) -> CompletedProcess[str]:
    return command(*arguments, env={"QULINK_CITY": str(city), "COLUMNS": str(columns)})


def test_qulink_rates(city: Path) -> None:
    shown = qulink(city, "rates", "--by", "county", "--month", "2026-01")
    assert shown.returncode == 0, shown.stderr
    for text in ("演示数据", "ENR-A", "重点工业企业设备联网率", "330822", "常山县", "50.00"):
        assert text in shown.stdout
    body = json.loads(qulink(city, "rates", "--month", "2026-01", "--json").stdout)
    assert (body["city"]["networked"], body["city"]["equipment"]) == (1, 2)
    assert (body["city"]["pooled"], body["demonstration"]) == (50.0, True)
    covered = qulink(city, "rates", "--definition", "COV", "--month", "2026-01").stdout
    assert "已核实 verified" in covered
    lines = qulink(city, "rates", "--by", "enterprise", "--month", "2026-01", "--csv").stdout
    assert lines.splitlines()[2].split(",")[0] == USCCS[0]
    firms = qulink(city, "rates", "--by", "enterprise", "--month", "2026-01").stdout
    assert "rates of 1 enterprises: P25 50.00 · 中位数 median 50.00 · P75 50.00" in firms
    assert lines.count("演示数据") == 2


def test_a_narrow_screen_cuts_nothing_off(city: Path) -> None:
    database = connect("sqlite:///city.db", city.parent / "data")
    code = update(enterprise).values(identifier_code="QZ01")
    database.run_now(lambda c: c.execute(code))
    pattern = SuffixPattern.parse("{class}.{yyyymmdd}.{seq:06d}")
    database.run_now(issue, rules(pattern), day_start_ms(date(2026, 1, 1)), 10)
    confirmed = update(identifier).values(registered_ms=day_start_ms(date(2026, 1, 1)))
    database.run_now(lambda c: c.execute(confirmed))
    database.close()
    listed = qulink(city, "ledger", "list", columns=80).stdout
    assert "88.999.QZ01/production.20260101.000001" in listed
    rates = qulink(city, "rates", "--month", "2026-01", "--by", "enterprise", columns=80).stdout
    assert "…" not in listed + rates


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--month", "2026-1"), "'2026-1' is no month"),
        (("--definition", "ENR-Z"), "no definition 'ENR-Z'"),
        (("--json", "--csv"), "choose one"),
        (("-c", "absent.yaml"), "absent.yaml"),
    ],
)
def test_qulink_rates_says_what_is_wrong(
    city: Path, arguments: tuple[str, ...], message: str
) -> None:
    failed = qulink(city, "rates", *arguments)
    assert failed.returncode == 1
    assert message in failed.stderr
    assert "Traceback" not in failed.stderr


def test_qulink_ledger(city: Path, tmp_path: Path) -> None:
    template = tmp_path / "ledger.xlsx"
    assert qulink(city, "ledger", "template", str(template)).returncode == 0
    assert template.stat().st_size > 5_000
    rows = "uscc,asset_no,name,equipment_class,status\n91330822MA0000015W,A3,铣床,{},在用\n"
    path = tmp_path / "more.csv"
    path.write_text(rows.format("工具"), encoding="utf-8")
    failed = qulink(city, "ledger", "import", str(path))
    assert failed.returncode == 1
    assert (
        "more.csv, row 2, column equipment_class: unknown equipment class '工具'" in failed.stderr
    )
    assert "1 problem; nothing was imported" in failed.stderr
    path.write_text(rows.format("生产设备"), encoding="utf-8")
    dry = qulink(city, "ledger", "import", str(path), "--dry-run")
    assert "dry run" in dry.stdout
    assert "equipment:   1 added" in qulink(city, "ledger", "import", str(path)).stdout
    listed = json.loads(qulink(city, "ledger", "list", "--json").stdout)
    assert [one["asset_no"] for one in listed] == ["A1", "A2", "A3"]
    assert "铣床" in qulink(city, "ledger", "list").stdout


def test_a_correction_says_who_and_why(city: Path) -> None:
    asked = ("rates", "correct", "2026-01", "--reason", "late_data", "--note", "补传", "--by")
    assert "needs a note and a name" in qulink(city, *asked, " ").stderr
    assert qulink(city, *asked, "李四").stdout.strip() == "ENR-A 2026-01: vintage 1 (F)"
    shown = qulink(city, "rates", "--month", "2026-01").stdout
    words = "更正 correction: 迟到数据 late data · 补传 · 李四"
    assert f"版次 vintage 1 · {words}" in shown
    file = qulink(city, "rates", "--month", "2026-01", "--csv").stdout.splitlines()
    assert all(line.endswith(",late_data,补传,李四") for line in file[1:])
    body = json.loads(qulink(city, "rates", "--month", "2026-01", "--json").stdout)
    assert (body["status"], body["vintage"], body["correction"]) == (
        "R",
        1,
        {"reason": "late_data", "note": "补传", "corrected_by": "李四"},
    )
    running = time.strftime("%Y-%m", time.gmtime(time.time() + 8 * 3600))
    failed = qulink(city, *(running if one == "2026-01" else one for one in asked), "李四")
    assert f"{running} is not frozen" in failed.stderr


def test_the_command_knows_every_reason_of_a_correction() -> None:
    assert {why.value for why in Why} == set(CORRECTIONS)
