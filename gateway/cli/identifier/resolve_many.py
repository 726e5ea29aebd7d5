"""``qulink id resolve FILE``: every line is asked for; how many were found, by system."""

import asyncio
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gateway.cli.city.opening import fail
from gateway.cli.identifier.resolve_command import whose
from gateway.cli.tables import print_table
from gateway.cli.wording import visible
from gateway.identifier.resolving.answer import Answer, Outcome

if TYPE_CHECKING:
    from gateway.identifier.resolving.resolver import Resolver
    from gateway.identifier.resolving.tally import Tally

Step = Callable[[], None]


def resolve_lines(
    name: str, make: "Callable[[], Resolver]", at_once: int, *, as_json: bool
) -> bool:
    """Print what is known of each line, and a summary on stderr.

    Args:
        name: of a file; - for standard input. Empty lines are passed over.
        make: makes the resolver, within the loop.
        at_once: codes that are asked for together.
        as_json: a line of JSON each, else with tabs.

    Returns:
        Whether everything was found.
    """
    from gateway.identifier.resolving.tally import Tally

    tally = Tally()
    try:
        with _lines(name) as lines, _progress() as step:
            asyncio.run(_resolved(lines, make, at_once, tally, step, as_json=as_json))
    except UnicodeDecodeError:
        fail(f"cannot read {name}: it is no text in UTF-8; save it as such, with one code a line")
    except OSError as error:
        fail(f"cannot read {name}: {error}")
    _print(tally)
    return tally.is_whole


async def _resolved(
    lines: Iterable[str],
    make: "Callable[[], Resolver]",
    at_once: int,
    tally: "Tally",
    step: Step,
    *,
    as_json: bool,
) -> None:
    resolver = make()
    try:
        async for text, answer in resolver.resolve_texts(lines, at_once):
            tally.count(text, answer)
            typer.echo(_json(text, answer) if as_json else _row(text, answer))
            step()
    finally:
        await resolver.close()


@contextmanager
def _lines(name: str) -> Iterator[Iterator[str]]:
    if name == "-":
        yield filter(str.strip, sys.stdin)
        return
    with Path(name).open(encoding="utf-8-sig") as file:
        yield filter(str.strip, file)


def _row(text: str, answer: Answer) -> str:
    """Text, outcome, who said so, and what is known or why nothing is."""
    known = "; ".join(f"{one.type}={one.text}" for one in answer.items) or answer.why
    cells = (text.strip(), answer.outcome, whose(answer), known)
    return "\t".join(visible(cell) for cell in cells)


def _json(text: str, answer: Answer) -> str:
    import msgspec

    asked = {"text": text.strip(), **msgspec.to_builtins(answer)}
    return json.dumps(asked, ensure_ascii=False)


@contextmanager
def _progress() -> Iterator[Step]:
    """How many are done, on a terminal."""
    from rich.console import Console
    from rich.progress import Progress, TextColumn

    console = Console(stderr=True)
    column = TextColumn("{task.completed} codes, {task.speed:.0f} a second")
    is_shown = console.is_terminal and not sys.stdout.isatty()  # else the lines are progress enough
    with Progress(column, console=console, transient=True, disable=not is_shown) as progress:
        task = progress.add_task("codes", total=None)
        yield lambda: progress.advance(task)


def _print(tally: "Tally") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("system", "asked", *(outcome.value for outcome in Outcome), "stale", "resolved")
    for system, counts in tally.by_system():
        each = (counts[outcome] for outcome in Outcome)
        numbers = (counts.total(), *each, tally.stale(system))
        table.add_row(system, *(str(number or "") for number in numbers), tally.rate(system))
    print_table(Console(stderr=True, soft_wrap=True), table)
