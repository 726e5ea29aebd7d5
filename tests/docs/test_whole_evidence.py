"""Who reads raw days names the days, so that SQLite looks at their months and at no others."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CITY = ROOT / "gateway"
BY_MACHINE = {
    "city/alerts/silences.py": "the newest value of machines that are asked for",
    "city/console/pages/alerting/watch.py": "the newest value of machines that are watched",
    "city/db/monthly.py": "knows the months",
    "city/erasing/rows.py": "all that is left of machines that were two enterprises'",
    "city/evidence/adoption.py": "all of a machine that becomes another's",
}
"""Who may read ``evidence`` itself: all days of machines by number, found by the primary key."""
_SQL = re.compile(r"\b(FROM|JOIN)\s+evidence\b(?!_)")
_JOINS = {"join", "outerjoin", "join_from", "outerjoin_from"}


def offences(source: str, *, by_machine: bool) -> Iterator[str]:
    """What code does with the whole of ``evidence`` that it should not."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "gateway.city.db.tables":
            named = {one.name for one in node.names}
            if "evidence" in named and not by_machine:
                yield f"line {node.lineno}: imports evidence"
        elif isinstance(node, ast.Attribute) and ast.unparse(node) == "tables.evidence":
            yield f"line {node.lineno}: tables.evidence"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            whole = [*map(ast.unparse, node.args), ast.unparse(node.func.value)]
            if node.func.attr in _JOINS and "evidence" in whole:
                yield f"line {node.lineno}: joins evidence"
        elif isinstance(node, ast.Constant) and _SQL.search(str(node.value)):
            yield f"line {node.lineno}: SQL on evidence"


def test_nobody_joins_all_months_who_means_some() -> None:
    found = []
    for file in sorted(CITY.rglob("*.py")):
        name = str(file.relative_to(CITY))
        if "migrations/versions" not in name and "evidence" in (source := file.read_text()):
            own = offences(source, by_machine=name in BY_MACHINE)
            found += [f"{name}, {one}" for one in own]
    assert found == [], "name the days: monthly.between, monthly.parts"


def test_who_may_read_all_months_does() -> None:
    """Or the list would let in what comes later under the name of a file that is gone."""
    for name in BY_MACHINE:
        assert list(offences((CITY / name).read_text(), by_machine=False)), name


@pytest.mark.parametrize(
    "source",
    [
        "from gateway.city.db.tables import evidence, machine",
        "select(tables.evidence)",
        "query.join(evidence, evidence.c.machine_id == machine.c.id)",
        "evidence.outerjoin(machine)",
        "text('SELECT 1 FROM evidence WHERE day > :day')",
    ],
)
def test_each_way_to_do_it_is_seen(source: str) -> None:
    assert list(offences(source, by_machine=False))


def test_months_and_other_tables_are_none() -> None:
    source = "text('SELECT 1 FROM evidence_month')\nquery.join(evidence_month)\nmonthly.parts(c)"
    assert list(offences(source, by_machine=False)) == []
