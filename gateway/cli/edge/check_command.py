"""``qulink check``: everything wrong with a configuration, without touching anything."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.wording import counted

if TYPE_CHECKING:
    from edge_config.loading.resolved import LoadedGateway
    from edge_config.models.city import CityConfig
    from edge_config.models.settings import Settings


_SHOWN = 5
"""Tags that a line names."""


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command("check", epilog="Example: `qulink check gateway.yaml`")(check)


def check(file: Annotated[Path, typer.Argument(help="The YAML file.")]) -> None:
    """Check a configuration of an edge, a city or a node; opens no connection.

    Prints what the configuration will do and exits 0, or prints every mistake as
    file:line: path: what is wrong, and exits 1; intervals that a serial line can never keep are
    one. Warnings – what is allowed, but hardly meant – are printed too and change no exit code.
    """
    from edge_config.loading.site import site_of
    from edge_config.mistakes.problems import ConfigError

    try:
        summary = {"city": _city, "gateway": _gateway, "prefix": _node}[site_of(file)](file)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    typer.echo(summary)


def _gateway(file: Path) -> str:
    from edge_config.loading.load import ConfigError, load_gateway
    from gateway.drivers.registry import installed

    loaded = load_gateway(file, installed())
    _demand_long_secrets(file, loaded.config)
    for warning in loaded.warnings:
        typer.echo(f"warning: {warning}", err=True)
    if loaded.overloads:
        raise ConfigError(loaded.overloads)
    return f"{file} is good: {describe(loaded)}"


def describe(loaded: "LoadedGateway") -> str:
    """One paragraph on what a gateway will do: devices, tags, readings and values a second."""
    config = loaded.config
    groups = [group for device in loaded.devices for group in device.groups]
    polled = [group for group in groups if group.mode == "poll"]
    tags = sum(len(group.tags) for group in groups)
    readings = sum(1_000 / group.interval_ms for group in polled)
    values = sum(len(group.tags) * 1_000 / group.interval_ms for group in groups)
    drivers = ", ".join(sorted({device.config.driver for device in loaded.devices}))
    north = ", ".join(one.url for one in config.northbound) or "nowhere (no northbound)"
    return (
        f"gateway {config.gateway.id} of {config.gateway.enterprise_uscc} reads "
        f"{counted(len(loaded.devices), 'device')} ({drivers}) in {counted(len(groups), 'group')} "
        f"with {counted(tags, 'tag')}: {readings:,.1f} readings a second of polled groups, at most "
        f"{values:,.1f} values a second in all, buffered in {config.buffer.path} "
        f"(quota {config.buffer.quota_mib:g} MiB), sent to {north}."
        f"{_writing(loaded)}"
    )


def _writing(loaded: "LoadedGateway") -> str:
    """What it may write to devices, as one more sentence; empty: no tag is meant to be written."""
    from gateway.drivers.registry import installed

    specs = installed()
    writable = [
        f"{device.config.id} {tag.config.name}"
        for device in loaded.devices
        for group in device.groups
        for tag in group.tags
        if tag.config.access == "read-write"
        and not specs[device.config.driver].read_only(tag.address)
    ]
    if not writable:
        return ""
    few = ", ".join(writable[:_SHOWN]) + (" …" if len(writable) > _SHOWN else "")
    may = "may" if loaded.config.commands.enabled else "may not (commands are not enabled)"
    return f" It {may} write {counted(len(writable), 'tag')}: {few}."


def _city(file: Path) -> str:
    from edge_config.loading.load import load_city

    config = load_city(file)
    _demand_long_secrets(file, config)
    _demand_definitions(file, config)
    demonstration = "; demonstration (演示数据)" if config.demonstration else ""
    return (
        f"{file} is good: city {config.city.region} {config.city.name_zh} "
        f"({config.city.name_en}), broker {config.broker.url}, store {config.store.type}, "
        f"database {config.database.url}, node {config.node.type}, "
        f"console {config.console.listen}{demonstration}."
    )


def _node(file: Path) -> str:
    from edge_config.loading.load import load_node

    config = load_node(file)
    _demand_long_secrets(file, config)
    native = f", natively {config.native_listen}" if config.native_listen else ""
    return (
        f"{file} is good: node of identifiers {config.prefix}, database {config.database.url}, "
        f"listens on {config.listen}{native}."
    )


def _demand_long_secrets(file: Path, config: "Settings") -> None:
    """Refuse secrets that can be read here and are too short."""
    from edge_config.files.yaml_file import read_document
    from edge_config.mistakes.problems import ConfigError
    from edge_config.mistakes.short_secrets import short_secrets

    found = list(short_secrets(config))
    if found:
        document = read_document(file)
        raise ConfigError([document.problem(loc, words) for loc, words in found])


def _demand_definitions(file: Path, config: "CityConfig") -> None:
    """Refuse a file of holidays or definitions that is wrong, or a headline that is none."""
    from edge_config.files.yaml_file import read_document
    from edge_config.loading.load import ConfigError
    from gateway.city.rates.days.calendar_file import load_calendar
    from gateway.city.rates.definitions import (
        DefinitionError,
        definition_of,
        load_definitions,
    )

    load_calendar(config.calendar.file)
    key = "file"
    try:
        known = load_definitions(config.definitions.file, config.calendar.file)
        key = "headline"
        definition_of(known, config.definitions.headline)
    except DefinitionError as error:
        problem = read_document(file).problem(("definitions", key), str(error))
        raise ConfigError([problem]) from error
