"""``qulink id resolve``: what is known of codes, and who said so."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.city.opening import fail
from gateway.cli.tables import print_table
from gateway.cli.wording import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.identifier.resolving.answer import Answer, Hop
    from gateway.identifier.resolving.resolver import Resolver

Text = Annotated[
    str,
    typer.Argument(
        metavar="CODE", help="A code, as scanned or copied; or a file with one a line, - for input."
    ),
]
At = Annotated[
    list[str] | None,
    typer.Option(metavar="HOST:PORT", help="Native servers to ask, one after another."),
]
Config = Annotated[
    Path | None,
    typer.Option(help="A city's configuration: its ledger, and whom its `resolver` names."),
]


def register(group: typer.Typer) -> None:
    """Add the command."""
    example = "Example: `qulink id resolve 88.100.1/EQ001 --at 127.0.0.1:2641 --trace`"
    group.command("resolve", epilog=example)(resolve)


def resolve(
    code: Text,
    config: Config = None,
    at: At = None,
    trace: Annotated[bool, typer.Option("--trace", help="Show whom it was asked of.")] = False,
    timeout_ms: Annotated[
        int | None, typer.Option(min=100, max=60_000, help="Longest wait for one server.")
    ] = None,
    at_once: Annotated[
        int, typer.Option(min=1, max=256, help="Of a file: codes that are asked for together.")
    ] = 16,
    as_json: Annotated[
        bool, typer.Option("--json", help="As JSON; of a file, one a line.")
    ] = False,
) -> None:
    """Ask for a code of any identifier system that is known, or for each line of a file.

    With --config the city's own ledger is asked first; what was found elsewhere before is given
    again as long as its source allows it, and beyond that, marked as stale, while nobody can be
    asked. Exit code 1: something was not found, and the reason is printed.
    """
    from gateway.cli.identifier.whom import opened_resolver

    with opened_resolver(config, at or [], timeout_ms) as make:
        if code == "-" or Path(code).is_file():
            from gateway.cli.identifier.resolve_many import resolve_lines

            is_whole = resolve_lines(code, make, at_once, as_json=as_json)
            raise typer.Exit(not is_whole)
        answer = asyncio.run(_asked(code, make))
    _told(answer, trace=trace, as_json=as_json)


async def _asked(code: str, make: "Callable[[], Resolver]") -> "Answer":
    resolver = make()
    try:
        return await resolver.resolve_text(code)
    finally:
        await resolver.close()


def _told(answer: "Answer", *, trace: bool, as_json: bool) -> None:
    from gateway.identifier.resolving.answer import Outcome

    if as_json:
        import msgspec

        typer.echo(json.dumps(msgspec.to_builtins(answer), ensure_ascii=False, indent=2))
    else:
        _print(answer, trace=trace)
    if answer.outcome is not Outcome.FOUND:
        fail(f"{visible(answer.code)}: {answer.outcome}: {visible(answer.why)}")


def _print(answer: "Answer", *, trace: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text as Cell

    console = Console(soft_wrap=True)
    if trace:
        _print_hops(answer.hops)
    if answer.items:
        console.print(Cell(f"{visible(answer.code)}, from {whose(answer)}"))
        table = Table("index", "type", "data")
        for one in answer.items:
            cells = (str(one.index or ""), one.type, one.text)
            table.add_row(*(Cell(visible(cell)) for cell in cells))
        print_table(console, table)


def whose(answer: "Answer") -> str:
    """Who said so, and how far that is to be relied on."""
    return f"{answer.source}{' (own)' * answer.is_own}{' (stale)' * answer.is_stale}"


def _print_hops(hops: "Sequence[Hop]") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text as Cell

    table = Table("source", "place", "asked for", "answer", "ms")
    for one in hops:
        cells = (one.source, one.place, one.asked, one.outcome, f"{one.took_s * 1000:.1f}")
        table.add_row(*(Cell(visible(cell)) for cell in cells))
    print_table(Console(soft_wrap=True), table)
