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


def test_a_membership_that_runs_is_told_without_an_end() -> None:
    held = [Membership(date(2024, 1, 1), date(2025, 1, 1)), Membership(date(2026, 9, 1), None)]
    with pytest.raises(RosterError) as refused:
        restated(held, date(2024, 1, 1), date(2026, 12, 1), None, "KEY")
    said = sentence(str(refused.value), Language.ZH)
    assert said == "它自 2026-09-01 起在名录 KEY 中；从 2024-01-01 起与之重叠"
