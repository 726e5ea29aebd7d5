"""A configuration and a device of it, for commands that write configurations."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_config.loading.resolved import LoadedGateway, ResolvedDevice


def configured(config: Path, device: str) -> "tuple[LoadedGateway, ResolvedDevice]":
    """A configuration without mistakes, and a device of it.

    Raises:
        ConfigError: with every mistake, or there is no such device.
    """
    from edge_config.loading.load import load_gateway
    from edge_config.points.place import device_named
    from gateway.drivers.registry import installed

    gateway = load_gateway(config, installed())
    return gateway, device_named(gateway, device, config)


def demand_good(config: Path) -> "LoadedGateway":
    """Check what was written, as ``qulink check`` does, and read it.

    Raises:
        ConfigError: with every mistake.
    """
    from edge_config.loading.load import load_gateway
    from gateway.drivers.registry import installed

    return load_gateway(config, installed())
