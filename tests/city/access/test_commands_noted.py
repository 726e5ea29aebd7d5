"""Commands that show enterprises, or change the ledger, are in the audit log."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.city.access.audit import Action, Entry, entries
from gateway.city.access.chain import verify
from gateway.cli.main import build
from gateway.cli.user import system_user
from gateway.relational.database import Database, connect
from tests.console.town import _filled, uscc_of

CITY = """
city: { region: "330800", name_zh: 衢州市, name_en: Quzhou }
broker: { url: "mqtt://127.0.0.1:1883" }
identifier: { prefix: "88.999" }
demonstration: true
"""
MACHINE = f"{uscc_of(0)}/1/A-001"


class City:
    """A filled city, and what its commands left in the audit log."""

    def __init__(self, folder: Path) -> None:
        (folder / "city.db").write_bytes(_filled())
        self._config = folder / "city.yaml"
        self._config.write_text(CITY + f"data_dir: {folder}\n", encoding="utf-8")
        self.database: Database = connect("sqlite:///city.db", folder)

    def run(self, *words: str) -> list[Entry]:
        before = len(self.database.run_now(entries))
        done = CliRunner().invoke(build([]), [*words, "-c", str(self._config)])
        assert done.exit_code == 0, done.output
        return list(self.database.run_now(entries))[before:]


def test_what_commands_show_and_change_is_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    city = City(tmp_path)
    month = ("--month", "2025-10")
    noted = {
        ("rates", "--by", "enterprise", *month): (Action.EXPORTED, "qulink rates"),
        ("rates", "--by", "enterprise", "--csv", *month): (Action.EXPORTED, "qulink rates"),
        ("rates", "declared", *month): (Action.EXPORTED, "qulink rates declared"),
        ("ledger", "list"): (Action.EXPORTED, "qulink ledger list"),
        ("evidence", "show", MACHINE, *month): (Action.VIEWED, uscc_of(0)),
        ("evidence", "audit", *month, "--enterprise", uscc_of(5)): (
            Action.EXPORTED,
            "qulink evidence audit",
        ),
        ("id", "labels", "x.zpl", "--enterprise", uscc_of(5)): (
            Action.EXPORTED,
            "qulink id labels",
        ),
        ("ledger", "withdraw", "--enterprise", uscc_of(0), "--asset", "A-002", "--reason", "错"): (
            Action.LEDGER_WITHDRAWAL,
            "错",
        ),
        ("ledger", "rename", "--enterprise", uscc_of(0), "--from", "A-003", "--to", "B-003"): (
            Action.LEDGER_RENAMING,
            f"A-003 of {uscc_of(0)}, site 1: B-003 of {uscc_of(0)}, site 1",
        ),
    }
    for words, expected in noted.items():
        (entry,) = city.run(*words)
        assert (entry.action, entry.subject) == expected, words
        assert entry.who == system_user(), words
    for words in (("rates", *month), ("evidence", "verify")):
        assert city.run(*words) == [], words
    assert city.database.run_now(verify).broken is None
    city.database.close()
