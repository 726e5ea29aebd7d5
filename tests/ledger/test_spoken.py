"""What is wrong with a ledger's files, in Chinese on the command line."""

from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.city.ledger.rosters import Membership, RosterError, restated
from gateway.cli.city.ledger.spoken import Language, sentence
from gateway.cli.main import build
from tests.support.city import city_file
from tests.support.city_db import USCCS, add_enterprise, sqlite_city

MACHINES = (
    f"uscc,asset_no,name,equipment_class,status\n{USCCS[0]},1#注塑机,注塑机,生产,在使用中吗\n"
)
RIGHT = f"uscc,asset_no,name,equipment_class,status\n{USCCS[0]},A1,注塑机,生产设备,在用\n"
STOPS = (
    "uscc,stop_from,stop_to,stop_reason,document,said_by\n"
    f"{USCCS[0]},2026-10-05,2026-10-01,检修,计划 3 号,王五\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a city that has an enterprise and no machine."""
    made = sqlite_city(tmp_path)
    made.run_now(add_enterprise, USCCS[0])
    made.close()
    city_file(tmp_path, "127.0.0.1:1")
    (tmp_path / "machines.csv").write_text(MACHINES, encoding="utf-8")
    (tmp_path / "stops.csv").write_text(STOPS, encoding="utf-8")
    return tmp_path


def test_commands_say_what_is_wrong_in_the_language_that_is_asked_for(folder: Path) -> None:
    runner, command = CliRunner(env={"QULINK_LANG": "zh"}), build(["ledger"])

    def said(*words: str) -> str:
        wanted = ["ledger", *words, "-c", str(folder / "city.yaml")]
        done = runner.invoke(command, wanted)
        assert done.exit_code == 1, done.output
        return done.output

    wrong = said("import", str(folder / "machines.csv"))
    assert "machines.csv 第 2 行 “status”列：未知的状态" in wrong
    assert "处需要修改；没有导入任何内容" in wrong
    assert "unknown" in said("import", str(folder / "machines.csv"), "--lang", "en")
    assert "早于停机起始日期 2026-10-05" in said("stops", "import", str(folder / "stops.csv"))
    assert "停机 7现不生效" in said("stops", "withdraw", "7", "--reason", "取消")
    assert "没有第 9 次变更" in said("undo", "9")


def test_what_an_import_did_is_said_in_that_language_too(folder: Path) -> None:
    """What is wrong was said in Chinese, what was done and what is to be noted in English."""
    file = folder / "right.csv"
    words = ["ledger", "import", str(file), "-c", str(folder / "city.yaml")]
    runner, command = CliRunner(env={"QULINK_LANG": "zh"}), build(["ledger"])
    file.write_text(RIGHT, encoding="utf-8")
    done = runner.invoke(command, words).output
    assert "企业：新增 0、更新 0、不变 0\n设备：新增 1、" in done
    assert "没有新内容：台账中都已如此" in runner.invoke(command, words).output
    file.write_text(RIGHT.replace("在用", "备用"), encoding="utf-8")
    tried = runner.invoke(command, [*words, "--dry-run"]).output
    assert tried.startswith("提示：right.csv 第 2 行 “status_since”列：改为“备用”没有写日期")
    assert "试运行，没有改动任何内容：\n企业：" in tried
    assert tried.rstrip().splitlines()[-1].startswith("1 行的改动自导入当日 ")
    refused = runner.invoke(command, [*words, "--effective", "2199-01-01"]).output
    assert refused.startswith("--effective: 2199-01-01 在今天之后；")


def test_a_membership_that_runs_is_told_without_an_end() -> None:
    held = [Membership(date(2024, 1, 1), date(2025, 1, 1)), Membership(date(2026, 9, 1), None)]
    with pytest.raises(RosterError) as refused:
        restated(held, date(2024, 1, 1), date(2026, 12, 1), None, "KEY")
    said = sentence(str(refused.value), Language.ZH)
    assert said == "它自 2026-09-01 起在名录 KEY 中；从 2024-01-01 起与之重叠"
