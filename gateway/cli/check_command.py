"""``qulink check``: everything wrong with a configuration, without touching anything."""

import sys
from pathlib import Path
from typing import Annotated

import typer


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command("check", help="Check a configuration of an edge or a city; opens no connection.")(
        check
    )


def check(file: Annotated[Path, typer.Argument(help="The YAML file.")]) -> None:
    """Print a summary and exit 0, or print every mistake and exit 1."""
    from edge_config.document import read_document  # noqa: PLC0415
    from edge_config.problems import ConfigError  # noqa: PLC0415

    try:
        data = read_document(file).data
        is_city = isinstance(data, dict) and "city" in data
        summary = _city(file) if is_city else _gateway(file)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        count = len(error.problems)
        typer.echo(f"{count} {'problem' if count == 1 else 'problems'} in {file}", err=True)
        sys.exit(1)
    typer.echo(summary)


def _gateway(file: Path) -> str:
    from edge_config.load import load_gateway  # noqa: PLC0415
    from gateway.drivers.registry import installed  # noqa: PLC0415

    loaded = load_gateway(file, installed())
    groups = [group for device in loaded.devices for group in device.groups]
    tags = sum(len(group.tags) for group in groups)
    per_s = sum(len(group.tags) * 1000 / group.interval_ms for group in groups)
    drivers = sorted({device.config.driver for device in loaded.devices})
    return (
        f"{file} is good: gateway {loaded.config.gateway.id}, {len(loaded.devices)} devices "
        f"({', '.join(drivers)}), {len(groups)} groups, {tags} tags, "
        f"at most {per_s:,.0f} values a second"
    )


def _city(file: Path) -> str:
    from edge_config.load import load_city  # noqa: PLC0415

    config = load_city(file)
    demonstration = ", demonstration (演示)" if config.demonstration else ""
    return (
        f"{file} is good: city {config.city.region} {config.city.name_zh}, "
        f"store {config.store.type}, node {config.node.type}{demonstration}"
    )
