"""``qulink id classify``: which identifier system a code belongs to."""

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.tables import print_table
from gateway.cli.wording import visible

if TYPE_CHECKING:
    from gateway.identifier.codes.classify import Candidate

Codes = Annotated[
    list[str] | None,
    typer.Argument(metavar="CODE…", help="Codes, as scanned or copied; left out: lines of input."),
]


def register(group: typer.Typer) -> None:
    """Add the command."""
    example = "Example: `qulink id classify 88.100.1/EQ001 6901234567892`"
    group.command("classify", epilog=example)(classify)


def classify(
    codes: Codes = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, a line a code.")] = False,
) -> None:
    """Say which identifier system codes belong to, likeliest first, and why.

    Handle, OID, GS1, Ecode, VAA, DID and BID, credit codes. What scanners and copying add is taken
    away first. Exit code 1: of one of the codes no reading is good.
    """
    from gateway.identifier.codes.classify import classify as read

    texts = codes or [line.rstrip("\n") for line in sys.stdin]
    readings = [(text, read(text)) for text in texts]
    if as_json:
        for text, found in readings:
            rows = [_row(one) for one in found]
            typer.echo(json.dumps({"text": text, "readings": rows}, ensure_ascii=False))
    else:
        _print(readings)
    if not all(any(one.is_valid for one in found) for _, found in readings):
        raise typer.Exit(1)


def _row(one: "Candidate") -> dict[str, Any]:
    return {
        "system": one.system.value,
        "is_valid": one.is_valid,
        "canonical": None if one.code is None else str(one.code),
        "expected": one.expected or None,
        "score": round(one.score, 3),
        "reason": one.reason,
        "removed": list(one.removed),
    }


def _print(readings: "list[tuple[str, list[Candidate]]]") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("code", "system", "is", "score", "why")
    for text, found in readings:
        if not found:
            table.add_row(Text(visible(text)), "–", "no code", "", "of no system that is known")
        for one in found:
            table.add_row(
                Text(visible(text)),
                one.system.value,
                Text(visible(str(one.code))) if one.is_valid else Text("wrong", style="red"),
                f"{one.score:.2f}",
                Text(
                    visible("; ".join((one.reason, *(f"without {what}" for what in one.removed))))
                ),
            )
    print_table(Console(soft_wrap=True), table)
