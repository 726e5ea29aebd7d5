"""An import tells what it will do, does all of it or nothing, and touches nothing else."""

import os
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from edge_config.points import texts
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


@pytest.mark.parametrize("form", ["fields", "text"])
@pytest.mark.parametrize(("notation", "tenth"), [("from_1", "11"), ("hex", "A"), ("wire", "10")])
def test_addresses_stay_what_they_are_in_the_notation_of_their_profile(
    notation: str, tenth: str, form: str, tmp_path: Path
) -> None:
    old = f"{{name: old, address: {{table: holding, address: '{tenth}'}}}}"
    config = plant(tmp_path, notated(notation, f"{old}, {{name: same, address: '{tenth}'}}"))
    for number in range(3):
        table = tmp_path / f"export-{number}.csv"
        assert points("export", config, "press-1", table, "--address", form).exit_code == 0
        assert table.read_text("utf-8-sig").count("old,") == 1
        rows = f"new_{number},holding:{tenth}:int16,,\nwide_{number},{tenth}:int32,,\n"
        done = points("import", config, "press-1", write(table, HEAD + rows), "--yes")
        assert done.exit_code == 0, done.output
    read = [str(tag.address) for tag in tags(config, "fast")]
    assert read[:2] == ["holding:10:uint16"] * 2
    assert read[2:] == ["holding:10:int16", "holding:10:int32"] * 3


@pytest.mark.parametrize("head", ["name,address.table,address.address\n", "name,address\n"])
def test_a_table_of_fields_takes_addresses_of_another_form(head: str, tmp_path: Path) -> None:
    is_text = "table" not in head
    own = "old,holding:1A\n" if is_text else "old,holding,1A\n"
    config = plant(tmp_path, notated("hex", "", "slow.csv"), head + own)
    other = "name,address.table,address.address\n" if is_text else "name,address\n"
    rows = "new,holding,1B\n" if is_text else "new,holding:1B\n"
    done = points("import", config, "press-1", write(tmp_path / "t.csv", other + rows), "--yes")
    assert done.exit_code == 0, done.output
    read = [str(tag.address) for tag in tags(config, "fast")]
    assert read == ["holding:26:uint16", "holding:27:uint16"]


def test_what_would_be_read_otherwise_than_it_was_meant_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = plant(tmp_path)
    before = contents(tmp_path)
    usual = texts._fields
    monkeypatch.setattr(  # a mistake in writing, such as no table has today
        texts, "_fields", lambda address: [*usual(address), ("address", "7")]
    )
    done = imported(config, SAME + "temp,input:8:int16,°C,0.1\n", "--yes")
    assert done.exit_code == 1
    assert "would not be read as it was meant: speed: address holding:0" in done.output
    assert contents(tmp_path).items() >= before.items()
    assert not (tmp_path / "press-fast.csv").exists()


def notated(notation: str, tags: str, file: str = "") -> str:
    """The gateway with one group, in a profile that names the notation of its manual."""
    begin, end = GATEWAY.index("        interval_ms"), GATEWAY.index("devices:")
    group = f"        tags_file: {file}\n" if file else f"        tags: [{tags}]\n"
    text = GATEWAY[:begin] + group + GATEWAY[end:]
    return text.replace(
        "    driver: modbus\n    source",
        f"    notation: {notation}\n    driver: modbus\n    source",
    )
