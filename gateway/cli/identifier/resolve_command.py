"""``qulink id resolve``: what a server of the native protocol holds of a handle."""

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from gateway.cli.tables import print_table
from gateway.cli.wording import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.identifier.irp.data import Site
    from gateway.identifier.irp.values import Value
    from gateway.identifier.native.walk import Found, Hop

Text = Annotated[str, typer.Argument(metavar="CODE", help="A handle, as scanned or copied.")]
At = Annotated[
    list[str] | None,
    typer.Option(
        metavar="HOST:PORT", help="Servers to ask first; several times: one after another."
    ),
]
_DEFAULT = ("127.0.0.1:2641",)


def register(group: typer.Typer) -> None:
    """Add the command."""
    example = "Example: `qulink id resolve 88.100.1/EQ001 --at 127.0.0.1:2641 --trace`"
    group.command("resolve", epilog=example)(resolve)


def resolve(
    code: Text,
    at: At = None,
    trace: Annotated[
        bool, typer.Option("--trace", help="Show each server that was asked.")
    ] = False,
    timeout_ms: Annotated[
        int, typer.Option(min=100, max=60_000, help="Longest wait for one server.")
    ] = 5_000,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Ask for a handle, over TCP or else UDP, and follow referrals and aliases.

    Exit code 1: it was not found, and the reason is printed; with --trace, where it was looked for.
    """
    from gateway.identifier.native.walk import WalkError

    handle = _handle(code)
    try:
        found = asyncio.run(_walked(handle, _sites(at or _DEFAULT), timeout_ms / 1000))
    except WalkError as error:
        if trace:
            _print_hops(error.hops)
        _fail(str(error))
    if as_json:
        typer.echo(json.dumps(_json(found), ensure_ascii=False, indent=2))
        return
    if trace:
        _print_hops(found.hops)
    _print_values(found.held.values)


def _handle(code: str) -> str:
    from gateway.identifier.codes.classify import classify
    from gateway.identifier.codes.code import System

    readings = [one for one in classify(code) if one.system is System.HANDLE]
    if not readings:
        _fail(f"{code!r} is no handle; `qulink id classify` says what it may be")
    if readings[0].code is None:
        _fail(readings[0].reason)
    return str(readings[0].code)


def _sites(addresses: "Sequence[str]") -> "tuple[Site, ...]":
    from gateway.identifier.irp.data import BOTH, TCP, UDP, Interface, Server, Site

    sites = []
    for address in addresses:
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal():
            _fail(f"{address!r}: give a server as HOST:PORT, as 192.0.2.10:2641")
        ways = tuple(Interface(BOTH, protocol, int(port)) for protocol in (TCP, UDP))
        sites.append(Site((Server(1, host.strip("[]"), ways),)))
    return tuple(sites)


async def _walked(handle: str, sites: "tuple[Site, ...]", timeout_s: float) -> "Found":
    from gateway.identifier.irp.bodies import Question
    from gateway.identifier.native.walk import Walker

    walker = Walker(sites, timeout_s)
    try:
        return await walker.resolve(Question(handle))
    finally:
        walker.close()


def _json(found: "Found") -> dict[str, Any]:
    return {
        "handle": found.held.handle,
        "values": [
            {"index": one.index, "type": one.type, "data": _shown(one)} for one in found.held.values
        ],
        "hops": [
            {"handle": one.handle, "place": one.place, "outcome": one.outcome, "took_s": one.took_s}
            for one in found.hops
        ],
    }


def _shown(value: "Value") -> str:
    """Text if it is one, else hexadecimal."""
    try:
        text = value.data.decode()
    except UnicodeDecodeError:
        return value.data.hex()
    return text if text.isprintable() else value.data.hex()


def _print_hops(hops: "Sequence[Hop]") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("handle", "asked", "answer", "ms")
    for one in hops:
        cells = (one.handle, one.place, one.outcome, f"{one.took_s * 1000:.1f}")
        table.add_row(*(Text(visible(cell)) for cell in cells))
    print_table(Console(soft_wrap=True), table)


def _print_values(values: "Sequence[Value]") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("index", "type", "data")
    for one in values:
        table.add_row(*(Text(visible(cell)) for cell in (str(one.index), one.type, _shown(one))))
    print_table(Console(soft_wrap=True), table)


def _fail(why: str) -> NoReturn:
    typer.echo(why, err=True)
    raise typer.Exit(1)
