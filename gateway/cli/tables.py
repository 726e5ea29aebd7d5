"""Tables on a terminal, and in a pipe, where no cell may be cut."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


_ANY_WIDTH = 10_000


def print_table(console: "Console", table: "Table") -> None:
    """Print a table: on a terminal long cells are folded, elsewhere it is as wide as it needs."""
    for column in table.columns:
        column.overflow = "fold"
    if not console.is_terminal:
        unbounded = console.options.update_width(_ANY_WIDTH)
        console.width = max(console.width, console.measure(table, options=unbounded).maximum)
    console.print(table)
