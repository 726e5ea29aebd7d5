"""Tables lose no character: folded on a terminal, as wide as they need in a pipe."""

import io

import pytest
from rich.console import Console
from rich.table import Table

from gateway.cli.tables import print_table

KEY = "91330822MA0000015W"


def printed(*, is_terminal: bool) -> str:
    table = Table("代码 key", *(f"列 column {number}" for number in range(8)))
    table.add_row(KEY, *("x" for _ in range(8)))
    out = io.StringIO()
    print_table(Console(file=out, width=80, force_terminal=is_terminal, no_color=True), table)
    return out.getvalue()


def test_in_a_pipe_a_row_is_one_line() -> None:
    (row,) = [line for line in printed(is_terminal=False).splitlines() if "x" in line]
    assert KEY in row


@pytest.mark.parametrize("is_terminal", [True, False])
def test_no_cell_is_cut(is_terminal: bool) -> None:
    text = printed(is_terminal=is_terminal)
    assert "…" not in text
    first = "".join(line.split("│")[1].strip() for line in text.splitlines() if line[:1] == "│")
    assert first == KEY
