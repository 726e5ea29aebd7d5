"""``qulink city token``: made, listed and revoked where the city runs."""

from pathlib import Path

from typer.testing import CliRunner

from gateway.city.access import tokens, users
from gateway.city.access.audit import Action, entries
from gateway.city.access.principal import Role, administrator, parse_scope
from gateway.city.access.tokens import State
from gateway.city.access.users import User
from gateway.cli.main import build
from gateway.relational.database import connect

ROOT = administrator("root")
CITY = """
city: { region: "330800", name_zh: 衢州市, name_en: Quzhou }
broker: { url: "mqtt://127.0.0.1:1883" }
identifier: { prefix: "88.999" }
console: { accounts: true }
"""


def test_a_token_is_made_listed_and_revoked(tmp_path: Path) -> None:
    config = tmp_path / "city.yaml"
    config.write_text(CITY + f"data_dir: {tmp_path}\n", encoding="utf-8")

    def run(*words: str) -> tuple[int, str, str]:
        done = CliRunner().invoke(build([]), ["city", "token", *words, "-c", str(config)])
        return done.exit_code, done.stdout, done.stderr

    assert run("list") == (0, "", "")
    database = connect("sqlite:///city.db", tmp_path)
    officer = User(
        "wang.li", "王丽", Role.COUNTY, parse_scope("county 330822"), 0, "root", None, False
    )
    database.run_now(users.add, ROOT, officer)
    code, text, told = run("add", "wang.li", "--for", "月报", "--may", "figures,export")
    assert (code, tokens.is_token(text.strip())) == (0, True)
    assert "not shown again" in told
    (line,) = run("list")[1].splitlines()
    number, user, state, *_, may, rows, purpose = line.split("\t")
    assert (number, user, state) == (text.split("_")[1], "wang.li", State.HOLDS)
    assert (may, rows, purpose) == ("export,figures", "of its user", "月报")
    assert text.split("_", 2)[2].strip() not in line
    wider = run("add", "wang.li", "--for", "x", "--scope", "all")
    assert (wider[0], "does not see" in wider[2]) == (1, True)
    wrong = run("add", "wang.li", "--for", "x", "--may", "manage-users")
    assert (wrong[0], "cannot be given manage-users" in wrong[2]) == (1, True)
    assert run("revoke", number)[:2] == (0, f"{number} revoked\n")
    assert run("list")[1].split("\t")[2] == State.REVOKED
    assert run("revoke", "0" * 12)[0] == 1
    said = [one.action for one in database.run_now(entries)][-2:]
    assert said == [Action.TOKEN_MADE, Action.TOKEN_REVOKED]
    database.close()
