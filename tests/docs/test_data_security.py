"""The page on data security is true: what it names exists, and no table is forgotten."""

import ast
import re
from dataclasses import fields

import pytest
import typer

from edge_config.models.data.keeping import RetentionConfig
from edge_config.models.people.alerts import AlertsConfig
from gateway.city.db.schema.whole import metadata
from gateway.cli.main import build
from tests.console.test_scopes import NEEDED
from tests.docs.test_documentation import ROOT

PAGE = (ROOT / "docs/data-security.md").read_text(encoding="utf-8")
STAGES = ("收集", "存储", "处理", "转移", "删除")
RETENTION = PAGE.partition("### How long")[2].partition("\n## ")[0]


def lines(text: str) -> list[list[str]]:
    """Cells of the rows of its tables, heads left out."""
    rows = [
        [cell.strip() for cell in row.split("|")[1:-1]] for row in text.splitlines() if "|" in row
    ]
    return [row for row in rows if row[0] not in ("statement", "what") and "---" not in row[0]]


STATEMENTS = lines(PAGE.replace(RETENTION, ""))


def test_the_page_has_the_five_stages_of_the_plan() -> None:
    assert re.findall(r"^## \w+ (\S+)$", PAGE, re.MULTILINE) == list(STAGES)
    assert len(STATEMENTS) > 20


@pytest.mark.parametrize("row", STATEMENTS, ids=lambda row: row[0][:40])
def test_each_statement_is_shown_by_something_that_exists(row: list[str]) -> None:
    shown = re.findall(r"`([^`]+)`", row[1])
    assert shown
    for one in shown:
        if one.startswith("tests/"):
            _demand_test(one)
        elif one.startswith("qulink "):
            _demand_command(one.split()[1:])
        else:
            assert one in {address for address, *_ in NEEDED} or one in NEEDED, one


def _demand_test(named: str) -> None:
    path, _, function = named.partition("::")
    assert (ROOT / path).exists(), path
    if function:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        assert function in {one.name for one in tree.body if isinstance(one, kinds)}, named


def _demand_command(words: list[str]) -> None:
    command = typer.main.get_command(build(words[:1]))
    for word in words:
        commands = getattr(command, "commands", {})
        assert word in commands, words
        command = commands[word]


def test_every_table_of_the_city_has_one_line_and_settings_their_defaults() -> None:
    rows = lines(RETENTION)
    named = [name for row in rows for name in re.findall(r"`([^`]+)`", row[1])]
    assert sorted(named) == sorted(table.name for table in metadata.sorted_tables)
    sections = {"retention": RetentionConfig(), "alerts": AlertsConfig()}
    for _, _, kept, setting, why in rows:
        assert why
        if setting != "–":
            section, _, name = setting.strip("`").partition(".")
            assert kept == f"{getattr(sections[section], name)} days"
    told = {row[3] for row in rows}
    assert {f"`retention.{one.name}`" for one in fields(RetentionConfig)} <= told
