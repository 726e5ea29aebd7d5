"""``qulink test``: which layer of a device's connection fails."""

import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from gateway.cli.edge.asking.by_url import connection_of
from gateway.cli.edge.asking.opening import AsJson, ask_running, print_json, refuse, run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from edge_config.mistakes.problems import ConfigError
    from gateway.drivers.extras import Finding
    from gateway.edge.device.asking.alone import Alone
    from gateway.edge.device.model import DeviceModel

_MARKS = {True: "ok", False: "FAILED", None: "–"}

Where = Annotated[
    str,
    typer.Argument(
        metavar="CONFIG|DRIVER", help="The configuration (YAML), or the driver of a URL."
    ),
]
Device = Annotated[
    str,
    typer.Argument(metavar="DEVICE|URL", help="Device id, or where a device is reached."),
]


class _Tested(NamedTuple):
    """What is tested.

    Attributes:
        model: what is known of it.
        open: connects it for this command.
    """

    model: "DeviceModel"
    open: "Callable[[], AbstractAsyncContextManager[Alone]]"


def register(root: typer.Typer) -> None:
    """Add the command."""
    example = "Example: `qulink test modbus tcp://192.0.2.7:502?unit=7`"
    root.command("test", epilog=example)(test)


def test(where: Where, device: Device, as_json: AsJson = False) -> None:
    """Test the connection of a device, layer by layer: which one fails, and what to do.

    Name, route, port, the driver's connecting (TLS, protocol, login), what the driver asks (unit,
    functions, rights), and which of the device's tags can be read. A device of a configuration,
    which may have no tags yet, or one that a URL names. Asks the gateway that runs, which uses the
    connection that it has; where none runs, the device is opened. Exit code 1: something failed.
    """
    if "://" in device:
        tested = _of_url(where, device)
        steps = _alone(tested, as_json)
    else:
        tested = _configured(Path(where), device)
        steps = _of_device(Path(where), tested, as_json)
    if as_json:
        print_json(steps)
    if any(step["is_ok"] is False for step in steps):
        raise typer.Exit(1)


def _of_url(driver: str, url: str) -> _Tested:
    from edge_config.models.gateway import DeviceConfig
    from gateway.edge.device.asking.alone import opened_untagged, untagged

    spec, connection = connection_of(url, driver)
    config = DeviceConfig(
        id=spec.endpoint(connection), driver=driver, profile="", asset_no="", connection=connection
    )
    model = untagged(spec, config, connection)
    return _Tested(model, lambda: opened_untagged(model))


def _configured(config: Path, device: str) -> _Tested:
    """A device of a configuration; where that is not finished, as far as it goes."""
    from edge_config.loading.load import load_gateway
    from edge_config.mistakes.problems import ConfigError
    from gateway.drivers.registry import installed
    from gateway.edge.device.asking.alone import model_of, opened_alone
    from gateway.edge.device.fleet import NoSuchDeviceError

    try:
        loaded = load_gateway(config, installed())
        model = model_of(loaded, installed(), device)
    except ConfigError as error:
        return _unfinished(config, device, error)
    except NoSuchDeviceError as error:
        refuse(error)
    return _Tested(model, lambda: opened_alone(loaded, installed(), device))


def _unfinished(config: Path, device: str, mistakes: "ConfigError") -> _Tested:
    """A device whose connection is written without a mistake, tags or none."""
    from edge_config.loading.load import load_untagged
    from edge_config.mistakes.problems import ConfigError
    from gateway.drivers.registry import installed
    from gateway.edge.device.asking.alone import opened_untagged, untagged

    try:
        written, connection = load_untagged(config, installed(), device)
    except ConfigError:
        refuse(mistakes)
    typer.echo(
        f"{config} has mistakes, which `qulink check` shows; tested is what needs no tags", err=True
    )
    model = untagged(installed()[written.driver], written, connection)
    return _Tested(model, lambda: opened_untagged(model))


def _of_device(config: Path, tested: _Tested, as_json: bool) -> list[dict[str, Any]]:
    """By the gateway that runs, if one does."""
    from edge_config.mistakes.problems import ConfigError
    from gateway.edge.control.protocol import ControlError, NoGatewayError

    try:
        steps: list[dict[str, Any]] = ask_running(config, "test", device=tested.model.id)
    except NoGatewayError:
        typer.echo(f"no gateway runs: {tested.model.id} is opened for this command", err=True)
        return _alone(tested, as_json)
    except (ConfigError, ControlError) as error:
        refuse(error)
    for step in [] if as_json else steps:
        _print(step, tested.model)
    return steps


def _alone(tested: _Tested, as_json: bool) -> list[dict[str, Any]]:
    async def steps() -> list[dict[str, Any]]:
        found = []
        async for finding in _findings(tested):
            step = {**finding._asdict(), "fault": str(finding.fault)}
            found.append(step)
            if not as_json:
                _print(step, tested.model)
        return found

    return run(steps())


async def _findings(tested: _Tested) -> "AsyncIterator[Finding]":
    from gateway.drivers.api import DriverError
    from gateway.edge.device.asking.testing import connecting, examined, way_to

    async for finding in way_to(tested.model, is_connected=False):
        yield finding
        if finding.is_ok is False:
            return
    try:
        async with tested.open() as device:
            yield connecting(tested.model, None)
            async for finding in examined(device, lambda: time.time_ns() // 1_000_000):
                yield finding
    except (DriverError, TimeoutError) as error:
        yield connecting(tested.model, error)


def _print(step: dict[str, Any], model: "DeviceModel") -> None:
    from gateway.web.i18n import fault_words, text

    unit_name = model.spec.unit_name(model.resolved.connection)
    title, advice = fault_words("en", step["fault"], model.endpoint, unit_name)
    name = text("en", f"test_step.{step['step']}")
    typer.echo(f"{name:14}{_MARKS[step['is_ok']]:8}{step['tried']}: {step['found']}")
    if title:
        typer.echo(f"{'':22}{title} – {advice}")
