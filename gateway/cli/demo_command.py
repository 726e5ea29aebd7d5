"""``qulink demo``: a small city on simulated lines, and stopping and starting them."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from gateway.demo.options import DATA, InfluxOptions, Options

_INTERRUPTED = 130
_HELP = """Run a small city on simulated lines (演示).

Starts simulated factory lines, a gateway for each factory, a broker and a city, all on this
machine, and a console at http://127.0.0.1:8080. The first Ctrl-C stops, drains and closes the
books; a second one ends at once. Exit code 0: the books balance; 1: they do not, or it could
not run; 130: ended at once.
"""
_EXAMPLE = "Example: `qulink demo --for 60 --report demo.json`"


def register(root: typer.Typer) -> None:
    """Add the command."""
    demo = typer.Typer(invoke_without_command=True, help=_HELP, epilog=_EXAMPLE)
    demo.callback()(_run)
    demo.command(
        "stop",
        help="Stop a simulated line of the running demonstration.",
        epilog="Example: `qulink demo stop bearing`",
    )(_stop)
    demo.command(
        "start", help="Start a stopped line again.", epilog="Example: `qulink demo start bearing`"
    )(_start)
    demo.command(
        "lines",
        help="List the lines of the running demonstration.",
        epilog="Example: `qulink demo lines`",
    )(_lines)
    root.add_typer(demo, name="demo")


def _run(
    context: typer.Context,
    for_s: Annotated[
        float | None, typer.Option("--for", min=5, help="Run this many seconds, check, and end.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write the report to this file.")] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the console.")] = 8080,
    data: Annotated[Path, typer.Option(help="Folder for the run; made anew.")] = DATA,
    broker: Annotated[
        str | None,
        typer.Option(help="Use this broker (mqtt://host:port, anonymous), not the embedded one."),
    ] = None,
    influx: Annotated[
        str | None, typer.Option(help="Store telemetry in this InfluxDB, not in SQLite.")
    ] = None,
    influx_database: Annotated[
        str, typer.Option(help="InfluxDB 1.x: the database; it must exist.")
    ] = "qulink_demo",
    influx_org: Annotated[str | None, typer.Option(help="InfluxDB 2.x: organisation.")] = None,
    influx_bucket: Annotated[str, typer.Option(help="InfluxDB 2.x: bucket.")] = "qulink_demo",
    influx_token_file: Annotated[
        Path | None, typer.Option(help="InfluxDB 2.x: file with the token; makes it 2.x.")
    ] = None,
) -> None:
    """Run the demonstration until Ctrl-C, or for some seconds."""
    if context.invoked_subcommand is not None:
        return
    store = influx and InfluxOptions(
        influx, influx_database, influx_org, influx_bucket, influx_token_file
    )
    _play(Options(for_s, report, port, data.absolute(), broker, store or None))


def _play(options: Options) -> NoReturn:
    from gateway.demo.app import DemoFailedError, run

    try:
        balanced = asyncio.run(run(options))
    except DemoFailedError as error:
        typer.echo(f"qulink demo: {error}", err=True)
        sys.exit(1)
    except asyncio.CancelledError:
        typer.echo("qulink demo: ended at once; the books were not closed", err=True)
        sys.exit(_INTERRUPTED)
    sys.exit(0 if balanced else 1)


_Line = Annotated[str, typer.Argument(help="The line, as 'qulink demo lines' names it.")]
_DataOption = Annotated[Path, typer.Option(help="Folder of the running demonstration.")]


def _stop(line: _Line, data: _DataOption = DATA) -> None:
    _switch(line, "stop", data)


def _start(line: _Line, data: _DataOption = DATA) -> None:
    _switch(line, "start", data)


def _switch(line: str, action: str, data: Path) -> None:
    answer = _call(data, "POST", f"/lines/{line}/{action}")
    if "error" in answer:
        known = ", ".join(item["id"] for item in _call(data, "GET", "/lines"))
        typer.echo(f"qulink demo {action}: {answer['error']}; there are: {known}", err=True)
        sys.exit(1)
    typer.echo(f"{answer['id']} {'runs' if answer['running'] else 'is stopped'}")


def _lines(data: _DataOption = DATA) -> None:
    for item in _call(data, "GET", "/lines"):
        state = "runs" if item["running"] else "is stopped"
        typer.echo(f"{item['id']:<14} {state:<11} {item['title_zh']} / {item['title_en']}")


def _call(data: Path, method: str, path: str) -> Any:
    import httpx

    try:
        url = json.loads((data / "control.json").read_text())["url"]
        return httpx.request(method, url + path, timeout=40).json()
    except (OSError, ValueError, httpx.HTTPError) as error:
        hint = "start one with 'qulink demo', or name its folder with --data"
        typer.echo(f"qulink demo: no demonstration runs in {data} ({error}); {hint}", err=True)
        sys.exit(1)
