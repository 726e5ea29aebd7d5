"""``qulink test``: which layer of a device's connection fails."""

import time
from typing import TYPE_CHECKING, Any

import typer

from gateway.cli.edge.asking.opening import (
    AsJson,
    Config,
    Device,
    ask_running,
    load,
    print_json,
    refuse,
    run,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from edge_config.loading.resolved import LoadedGateway
    from gateway.drivers.extras import Finding
    from gateway.edge.device.model import DeviceModel

_MARKS = {True: "ok", False: "FAILED", None: "–"}


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command("test", epilog="Example: `qulink test gateway.yaml press-1`")(test)


def test(config: Config, device: Device, as_json: AsJson = False) -> None:
    """Test the connection of a device, layer by layer: which one fails, and what to do.

    Name, route, port, the driver's connecting (TLS, protocol, login), unit, functions, and
    which of the device's tags can be read. Asks the gateway that runs, which uses the connection
    that it has; where none runs, the device is opened. Exit code 1: something failed.
    """
    from edge_config.mistakes.problems import ConfigError
    from gateway.edge.control.protocol import ControlError, NoGatewayError

    loaded = load(config)
    model = _model(loaded, device)
    try:
        steps = ask_running(config, "test", device=device)
    except NoGatewayError:
        steps = _alone(loaded, model, as_json)
    except (ConfigError, ControlError) as error:
        refuse(error)
    else:
        for step in [] if as_json else steps:
            _print(step, model)
    if as_json:
        print_json(steps)
    if any(step["is_ok"] is False for step in steps):
        raise typer.Exit(1)


def _model(loaded: "LoadedGateway", device: str) -> "DeviceModel":
    from gateway.drivers.registry import installed
    from gateway.edge.device.asking.alone import model_of
    from gateway.edge.device.fleet import NoSuchDeviceError

    try:
        return model_of(loaded, installed(), device)
    except NoSuchDeviceError as error:
        refuse(error)


def _alone(loaded: "LoadedGateway", model: "DeviceModel", as_json: bool) -> list[dict[str, Any]]:
    async def steps() -> list[dict[str, Any]]:
        found = []
        async for finding in _findings(loaded, model):
            step = {**finding._asdict(), "fault": str(finding.fault)}
            found.append(step)
            if not as_json:
                _print(step, model)
        return found

    typer.echo(f"no gateway runs: {model.id} is opened for this command", err=True)
    return run(steps())


async def _findings(loaded: "LoadedGateway", model: "DeviceModel") -> "AsyncIterator[Finding]":
    from gateway.drivers.api import DriverError
    from gateway.drivers.registry import installed
    from gateway.edge.device.asking.alone import opened_alone
    from gateway.edge.device.asking.testing import connecting, examined, way_to

    async for finding in way_to(model, is_connected=False):
        yield finding
        if finding.is_ok is False:
            return
    try:
        async with opened_alone(loaded, installed(), model.id) as device:
            yield connecting(model, None)
            async for finding in examined(device, lambda: time.time_ns() // 1_000_000):
                yield finding
    except (DriverError, TimeoutError) as error:
        yield connecting(model, error)


def _print(step: dict[str, Any], model: "DeviceModel") -> None:
    from gateway.web.i18n import fault_words, text

    unit_name = model.spec.unit_name(model.resolved.connection)
    title, advice = fault_words("en", step["fault"], model.endpoint, unit_name)
    name = text("en", f"test_step.{step['step']}")
    typer.echo(f"{name:14}{_MARKS[step['is_ok']]:8}{step['tried']}: {step['found']}")
    if title:
        typer.echo(f"{'':22}{title} – {advice}")
