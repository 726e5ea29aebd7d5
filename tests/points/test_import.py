"""An import tells what it will do, does all of it or nothing, and touches nothing else."""

import os
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from gateway.cli.main import build
from tests.config.examples import write
from tests.points.plant import GATEWAY, contents, plant, tags

HEAD = "name,address,unit,scale\n"
SAME = "speed,holding:0:float32,m/s,\nforce,holding:2:int16,,0.1\n"


def points(*arguments: object) -> Result:
    words = ["points", *map(str, arguments)]
    return CliRunner().invoke(build(words), words)


def imported(config: Path, rows: str, *options: str) -> Result:
    table = write(config.parent / "table.csv", HEAD + rows)
    return points("import", config, "press-1", table, "--group", "fast", *options)


def names(config: Path, group: str = "fast") -> list[str]:
    return [tag.config.name for tag in tags(config, group)]


def test_what_is_the_same_changes_nothing(tmp_path: Path) -> None:
    config = plant(tmp_path)
    done = imported(config, SAME, "--yes")
    assert done.exit_code == 0
    assert "leave 2" in done.output
    assert "writes nothing" in done.output
    assert config.read_text("utf-8") == GATEWAY


def test_new_tags_come_and_the_rest_of_the_file_stays(tmp_path: Path) -> None:
    config = plant(tmp_path)
    done = imported(config, SAME + "temp,input:8:int16,°C,0.1\n", "--yes")
    assert done.exit_code == 0, done.output
    assert "create 1: temp" in done.output
    assert names(config) == ["speed", "force", "temp"]
    begin, end = GATEWAY.index("        tags:"), GATEWAY.index("      # the slow ones")
    expected = f"{GATEWAY[:begin]}        tags_file: press-fast.csv\n{GATEWAY[end:]}"
    assert config.read_text("utf-8") == expected


def test_a_conflict_is_refused_and_shown(tmp_path: Path) -> None:
    config = plant(tmp_path)
    before = contents(tmp_path)
    done = imported(config, "force,holding:3:int16,kN,\nnew,coil:1,,\n", "--yes")
    assert done.exit_code == 1
    assert "force: address holding:2:int16 → holding:3:int16, unit (none) → kN" in done.output
    assert "--on-conflict replace, or keep" in done.output
    assert contents(tmp_path).items() >= before.items()
    assert names(config) == ["speed", "force"]


@pytest.mark.parametrize(("mode", "unit"), [("replace", "kN"), ("keep", "")])
def test_a_conflict_is_decided(mode: str, unit: str, tmp_path: Path) -> None:
    config = plant(tmp_path)
    rows = "new,coil:1,,\nforce,holding:2:int16,kN,0.1\n"
    done = imported(config, rows, "--on-conflict", mode, "--yes")
    assert done.exit_code == 0, done.output
    assert names(config) == ["speed", "force", "new"]
    assert tags(config, "fast")[1].config.unit == unit


def test_missing_tags_go_only_if_that_is_said(tmp_path: Path) -> None:
    config = plant(tmp_path)
    rows = "force,holding:2:int16,,0.1\n"
    assert "not in the table 1: speed (--delete-missing" in imported(config, rows, "--yes").output
    assert names(config) == ["speed", "force"]
    assert "delete 1: speed" in imported(config, rows, "--yes", "--delete-missing").output
    assert names(config) == ["force"]


def test_a_dry_run_and_a_question_nobody_can_answer_write_nothing(tmp_path: Path) -> None:
    config = plant(tmp_path)
    row = "temp,input:8,,\n"
    assert "writes" in imported(config, row, "--dry-run").output
    before = contents(tmp_path)
    asked = imported(config, row)
    assert (asked.exit_code, contents(tmp_path)) == (1, before)
    assert "say --yes where nobody can be asked" in asked.output


def test_a_table_of_people_keeps_what_they_have_added(tmp_path: Path) -> None:
    config = plant(tmp_path, slow="1号冲床点表,,,\n测点,地址,备注,单位\noil,holding:100,左侧,°C\n")
    table = write(tmp_path / "t.csv", HEAD + "oil2,holding:102:int16,°C,0.1\n")
    done = points("import", config, "press-1", table, "--group", "slow", "--yes")
    assert done.exit_code == 0, done.output
    assert config.read_text("utf-8") == GATEWAY
    assert (tmp_path / "slow.csv").read_text("utf-8-sig").splitlines() == [
        "1号冲床点表,,,",
        "测点,地址,单位,倍率,备注",
        "oil,holding:100,°C,,左侧",
        "oil2,holding:102:int16,°C,0.1,",
    ]


def test_a_sheet_is_written_and_its_neighbours_stay(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "封面"
    sheet.append(["看下一页"])
    slow = book.create_sheet("点表")
    for row in (["测点", "地址"], ["oil", "holding:100"]):
        slow.append(row)
    book.save(tmp_path / "slow.xlsx")
    config = plant(tmp_path, GATEWAY.replace("slow.csv", "slow.xlsx"))
    table = write(tmp_path / "t.csv", HEAD + "oil2,holding:102:int16,°C,0.1\n")
    done = points("import", config, "press-1", table, "--group", "slow", "--yes")
    assert done.exit_code == 0, done.output
    assert names(config, "slow") == ["oil", "oil2"]
    after = openpyxl.load_workbook(tmp_path / "slow.xlsx")
    assert after.sheetnames == ["封面", "点表"]
    assert after["封面"]["A1"].value == "看下一页"


def test_a_configuration_that_would_be_wrong_is_put_back(tmp_path: Path) -> None:
    config = plant(tmp_path)
    imported(config, SAME + "temp,input:8,,\n", "--yes")
    before = contents(tmp_path)
    done = imported(config, "oil,input:9,,\n", "--yes")  # a name that the other group has
    assert done.exit_code == 1
    assert "the machine has a tag 'oil' already" in done.output
    changed = {name for name, body in contents(tmp_path).items() if before.get(name) != body}
    assert changed == {"table.csv"}


def test_shared_and_shipped_profiles_are_named(tmp_path: Path) -> None:
    other = """  - id: press-2
    driver: modbus
    profile: press
    asset_no: P2
    connection: {host: 127.0.0.2}
  - id: meter
    driver: modbus
    profile: meter_sdm630
    asset_no: M1
    connection: {host: 127.0.0.3}
"""
    config = plant(tmp_path, GATEWAY + other)
    assert "shared with press-2" in imported(config, "x,coil:1,,\n", "--dry-run").output
    table = write(tmp_path / "m.csv", HEAD + "x,coil:1,,\n")
    done = points("import", config, "meter", table, "--yes")
    assert done.exit_code == 1
    assert "profile 'meter_sdm630' comes with the product and is not written" in done.output


def test_permissions_stay(tmp_path: Path) -> None:
    config = plant(tmp_path)
    config.chmod(0o640)
    assert imported(config, "x,coil:1,,\n", "--yes").exit_code == 0
    assert config.stat().st_mode & 0o777 == 0o640
    assert os.access(tmp_path / "press-fast.csv", os.R_OK)
