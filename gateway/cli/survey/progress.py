"""How far a search is, while it goes on: a bar for a person, lines for a program."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from gateway.drivers.search import Step

_LINE_S = 0.1
"""Between two lines at least: whoever reads them is a gateway at work."""


class Progress(StrEnum):
    """How it is told, on standard error."""

    BAR = "bar"
    JSON = "json"


@contextmanager
def progress(kind: Progress, pause_ms: int, found: Callable[[], Sequence[str]]) -> "Iterator[Step]":
    """What a search awaits before each request: it tells how far it is, and keeps the pace.

    Args:
        kind: how it is told.
        pause_ms: before each request.
        found: names of what was found so far.
    """
    with _bar() if kind is Progress.BAR else _lines(found) as tell:

        async def step(doing: str, done: int, all_: int) -> None:
            tell(doing, done, all_)
            await asyncio.sleep(pause_ms / 1000)

        yield step


@contextmanager
def _bar() -> Iterator[Callable[[str, int, int], None]]:
    """On a terminal; nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda doing, done, all_: bar.update(
            task, description=doing, completed=done, total=all_
        )


@contextmanager
def _lines(found: Callable[[], Sequence[str]]) -> Iterator[Callable[[str, int, int], None]]:
    """A JSON object a line. Where nobody reads them any more the search ends by that."""
    told_s = 0.0

    def tell(doing: str, done: int, all_: int) -> None:
        nonlocal told_s
        if time.monotonic() - told_s < _LINE_S:
            return
        told_s = time.monotonic()
        line = {"doing": doing, "done": done, "of": all_, "found": found()}
        typer.echo(json.dumps(line, ensure_ascii=False), err=True)

    yield tell
