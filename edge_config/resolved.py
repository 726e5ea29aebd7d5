"""A configuration after loading: profiles joined, addresses validated, paths absolute."""

from dataclasses import dataclass
from typing import Any, Literal

from edge_config.base import StrictModel
from edge_config.gateway import DeviceConfig, GatewayConfig, ProfileConfig, TagConfig


@dataclass(frozen=True, slots=True)
class ResolvedTag:
    """A tag with its address.

    Attributes:
        config: as written.
        address: an instance of the driver's address model.
    """

    config: TagConfig
    address: Any


@dataclass(frozen=True, slots=True)
class ResolvedGroup:
    """A group with all its tags, those of its point table included."""

    name: str
    interval_ms: int
    mode: Literal["poll", "subscribe"]
    tags: tuple[ResolvedTag, ...]


@dataclass(frozen=True, slots=True)
class ResolvedDevice:
    """A device with its connection and the groups of its profile.

    Attributes:
        config: as written.
        connection: an instance of the driver's connection model.
        profile: the machine profile.
        groups: groups with their tags.
    """

    config: DeviceConfig
    connection: StrictModel
    profile: ProfileConfig
    groups: tuple[ResolvedGroup, ...]


@dataclass(frozen=True, slots=True)
class LoadedGateway:
    """Everything the edge runtime needs."""

    config: GatewayConfig
    devices: tuple[ResolvedDevice, ...]
