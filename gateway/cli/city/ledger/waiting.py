"""How far a command is that reads and writes a large ledger."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gateway.cli.city.ledger.spoken import Language

if TYPE_CHECKING:
    from gateway.city.ledger.sheet.progress import Tell


@contextmanager
def told(language: Language) -> "Iterator[Tell]":
    """The words of the import page and a bar on a terminal; nothing in a log."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    from gateway.web.i18n import text

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=None)

        def tell(step: str, done: int, total: int) -> None:
            words = text(language.value, f"upload.step.{step}", done=done, total=total)
            bar.update(task, description=words, completed=done, total=total or None)

        yield tell
