"""Templates and exports as a spreadsheet opens them, and tables with mistakes."""

import builtins
import sys
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from edge_config.mistakes.shape import declared
from edge_config.models.tag import TagConfig
from gateway.cli.main import build
from gateway.drivers.modbus.types.names import DataType
from gateway.drivers.modbus.types.orders import Order
from gateway.drivers.registry import installed
from tests.config.examples import write
from tests.points.plant import GATEWAY, plant, tags


def points(*arguments: object) -> Result:
    words = ["points", *map(str, arguments)]
    return CliRunner().invoke(build(words), words)


def lists(file: Path) -> dict[str, list[str]]:
    """Title of each column with a drop-down → what it offers."""
    book = openpyxl.load_workbook(file)
    sheet = book.worksheets[0]
    found = {}
    for rule in sheet.data_validations.dataValidation:
        column = str(rule.sqref).partition(":")[0]
        title = str(sheet[column.rstrip("0123456789") + "1"].value)
        source = str(rule.formula1)
        if source.startswith('"'):
            found[title] = source.strip('"').split(",")
        else:
            name, _, cells = source.partition("!")
            rows = book[name.strip("'")][cells.replace("$", "")]
            found[title] = [str(cell.value) for row in rows for cell in row]
            assert book[name.strip("'")].sheet_state == "hidden"
    return found


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_template_offers_what_the_driver_knows(language: str, tmp_path: Path) -> None:
    file = tmp_path / "t.xlsx"
    assert points("template", "modbus", file, "--language", language).exit_code == 0
    kind, order, role, unit = {
        "zh": ("地址.数据类型", "地址.字节顺序", "角色", "单位"),
        "en": ("address.type", "address.order", "role", "unit"),
    }[language]
    offered = lists(file)
    assert offered[kind] == list(DataType)
    assert offered[order] == list(Order)
    assert len(offered[role]) == 4
    assert {"°C", "kWh", "m³/h"} <= set(offered[unit])
    sheet = openpyxl.load_workbook(file).worksheets[0]
    notes = [cell.comment.text for cell in sheet[1] if cell.comment]
    assert len(notes) == len(declared(TagConfig)) - 1 + len(declared(installed()["modbus"].address))
    assert any("byte order; A is the most significant byte" in note for note in notes)


@pytest.mark.parametrize("driver", list(installed()))
@pytest.mark.parametrize("form", ["text", "fields"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_title_is_read_as_its_key(
    driver: str, form: str, language: str, tmp_path: Path
) -> None:
    file = tmp_path / "t.csv"
    done = points("template", driver, file, "--language", language, "--address", form)
    assert done.exit_code == 0, done.output
    checked = points("check", driver, file)
    assert checked.output == f"{file}: has a header, but no tags below it\n"


def test_an_export_is_imported_as_it_was_in_each_language_and_form(tmp_path: Path) -> None:
    config = plant(tmp_path)
    for number, options in enumerate(
        [(), ("--language", "en"), ("--address", "text"), ("--address", "fields")]
    ):
        file = tmp_path / f"{number}.xlsx"
        assert points("export", config, "press-1", file, *options).exit_code == 0
        assert openpyxl.load_workbook(file).sheetnames[:2] == ["fast", "slow"]
        done = points("import", config, "press-1", file, "--delete-missing")
        assert (done.exit_code, "writes nothing" in done.output) == (0, True), done.output


def test_ten_thousand_tags_there_and_back(tmp_path: Path) -> None:
    rows = "".join(f"t{n},holding:{n * 6}:float32:CDAB,kW,测点{n}\n" for n in range(10_000))
    config = plant(tmp_path, slow="name,address,unit,label_zh\n" + rows)
    file = tmp_path / "all.xlsx"
    done = points("export", config, "press-1", file, "--group", "slow")
    assert done.output == f"{file}: 10,000 tags of press-1, group slow\n"
    assert "leave 10,000" in points("import", config, "press-1", file, "--group", "slow").output
    one = plant(tmp_path)
    assert points("import", one, "press-1", file, "--group", "slow", "--yes").exit_code == 0
    assert len(tags(one, "slow")) == 10_001


def test_mistakes_are_told_by_row_and_column(tmp_path: Path) -> None:
    table = write(
        tmp_path / "t.csv",
        "测点,地址.数据区,地址.地址,地址.数据类型,倍率,下限,上限\n"
        "speed,holding,0,float32,,,\n"
        "speed,holding,2,int99,,,\n"
        "force,holding,4,,0,,\n"
        "３号,holding,70000,uint16,,,\n"
        "x,coil,１２,,,9,3\n",
    )
    done = points("check", "modbus", table)
    assert done.exit_code == 1
    lines = [line.removeprefix(f"{table}:") for line in done.output.splitlines()]
    assert [line.partition(":")[0] for line in lines] == [
        "row 3, column 测点",
        "row 3, column 地址.数据类型",
        "row 4",
        "row 5, column 测点",
        "row 5, column 地址.地址",
        "row 6",
    ], done.output


def test_wide_digits_are_read_and_merged_cells_refused(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["测点", "地址.数据区", "地址.地址"], ["a", "holding", "１２"], ["b", None, "13"]):
        sheet.append(row)
    book.save(tmp_path / "wide.xlsx")
    done = points("check", "modbus", tmp_path / "wide.xlsx")
    assert "row 3, column 地址.数据区: " in done.output
    sheet.merge_cells("B2:B3")
    book.save(tmp_path / "merged.xlsx")
    assert (
        "the cells B2:B3 are merged" in points("check", "modbus", tmp_path / "merged.xlsx").output
    )


def test_the_same_address_twice_is_a_warning(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", "name,address\na,holding:1\nb,holding:1\n")
    done = points("check", "modbus", table)
    assert done.exit_code == 0
    assert "tag 'a' has the same address" in done.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("template", "modbsu", "{}/x.xlsx"), "no driver 'modbsu' is installed; did you mean"),
        (("template", "modbus", "{}/x.ods"), "must end in .csv or .xlsx"),
        (("template", "modbus", "{}/slow.csv"), "is there already"),
        (
            ("export", "{}/gateway.yaml", "pres-1", "{}/x.csv"),
            "there is no device 'pres-1'; did you",
        ),
        (("export", "{}/gateway.yaml", "press-1", "{}/x.csv"), "a CSV file holds one group"),
        (
            ("export", "{}/gateway.yaml", "press-1", "{}/x.csv", "--group", "fats"),
            "press-1 has no group 'fats'; did you mean 'fast'?; it has fast, slow",
        ),
        (
            ("import", "{}/gateway.yaml", "press-1", "{}/slow.csv"),
            "the device has the groups 'fast' or 'slow', and no sheet is called so; say --group",
        ),
        (("import", "{}/gateway.yaml", "press-1", "{}/none.csv", "--group", "fast"), "cannot be"),
    ],
)
def test_wrong_usage_is_told(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    plant(tmp_path)
    done = points(*(one.replace("{}", str(tmp_path)) for one in arguments))
    assert (done.exit_code, words in done.output) == (1, True), done.output


def test_without_openpyxl_a_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name.startswith("openpyxl"):
            raise ImportError(name)
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.delitem(sys.modules, "edge_config.tables.workbook_writing", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    done = points("template", "modbus", tmp_path / "x.xlsx")
    assert "pip install 'qulink[edge]', or write a .csv" in done.output
    assert points("template", "modbus", tmp_path / "x.csv").exit_code == 0


def test_parameters_of_the_device_stay_parameters(tmp_path: Path) -> None:
    text = GATEWAY.replace('"holding:0:float32"', '"holding:{base}:float32"').replace(
        "{table: holding, address: 2, type: int16}", '"holding:{base}.1"'
    )
    text = text.replace("scale: 0.1", "unit: x").replace(", unit: x", "")
    config = plant(tmp_path, text + "    parameters: {base: '100'}\n")
    file = tmp_path / "p.csv"
    assert points("export", config, "press-1", file, "--group", "fast").exit_code == 0
    assert "holding:{base}:float32" in file.read_text("utf-8-sig")
    done = points("import", config, "press-1", file, "--group", "fast")
    assert "writes nothing" in done.output, done.output


def test_an_array_is_exported_as_the_tags_that_it_stands_for(tmp_path: Path) -> None:
    config = plant(tmp_path, GATEWAY.replace("holding:0:float32", "holding:10:float32[3]"))
    for form in ("text", "fields"):
        file = tmp_path / f"{form}.csv"
        done = points("export", config, "press-1", file, "--group", "fast", "--address", form)
        assert done.output == f"{file}: 4 tags of press-1, group fast\n"
        done = points("import", config, "press-1", file, "--group", "fast")
        assert "writes nothing" in done.output, done.output
