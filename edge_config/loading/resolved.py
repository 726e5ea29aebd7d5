"""A loaded configuration, ready for the runtime: names resolved, paths absolute."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge_config.models.gateway import DeviceConfig, GatewayConfig, Mode, ProfileConfig
from edge_config.models.tag import Codes, TagConfig

if TYPE_CHECKING:  # a running edge has nothing to say about files
    from edge_config.mistakes.problems import Problem


@dataclass(frozen=True, slots=True)
class ResolvedTag:
    """One tag with its address understood by the driver.

    Attributes:
        config: what was written.
        address: instance of the driver's address model.
        no_value: raw numbers that stand for no value, as the driver reads them.
    """

    config: TagConfig
    address: Any  # an instance of the driver's own address model
    no_value: Codes = ()


@dataclass(frozen=True, slots=True)
class ResolvedGroup:
    """Tags that are read together, those of the point table included.

    Attributes:
        name: unique within the device.
        interval_ms: period of reading.
        mode: as written, or the driver's default.
        tags: at least one.
    """

    name: str
    interval_ms: int
    mode: Mode
    tags: tuple[ResolvedTag, ...]


@dataclass(frozen=True, slots=True)
class ResolvedDevice:
    """One connection to equipment with everything it needs.

    Attributes:
        config: what was written.
        connection: instance of the driver's connection model.
        profile: its machine profile.
        groups: shared with other devices of the same profile.
    """

    config: DeviceConfig
    connection: Any  # an instance of the driver's own connection model
    profile: ProfileConfig
    groups: tuple[ResolvedGroup, ...]


@dataclass(frozen=True, slots=True)
class LoadedGateway:
    """A whole edge configuration without a known mistake.

    Attributes:
        config: what was written, with absolute paths.
        devices: in the order of the file.
        warnings: what is allowed, but hardly meant.
        overloads: intervals that no line can keep. ``qulink check`` refuses them; a gateway that
            was started with them reads what it can, and counts the rest as skipped.
    """

    config: GatewayConfig
    devices: tuple[ResolvedDevice, ...]
    warnings: "tuple[Problem, ...]" = ()
    overloads: "tuple[Problem, ...]" = ()
