"""What a factory writes: one gateway with its devices, groups, tags and northbound."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from edge_config.models import uscc
from edge_config.models.base import (
    ClientTls,
    ConsoleConfig,
    MqttUrl,
    Secret,
    StrictModel,
    demand_tls_scheme,
    pattern,
)

Identifier = Annotated[
    str,
    StringConstraints(
        pattern=pattern(
            r"^[a-z0-9][a-z0-9-]{0,62}$",
            "must be small letters, digits and hyphens, at most 63",
        )
    ),
]
TAG_NAME = pattern(
    r"^[A-Za-z][A-Za-z0-9_]{0,62}$",
    "must be a letter, then letters, digits and underscores, at most 63",
)
TagName = Annotated[str, StringConstraints(pattern=TAG_NAME)]


def _uscc(code: str) -> str:
    wrong = uscc.problem(code)
    if wrong:
        raise ValueError(f"{code!r}: {wrong}")
    return code


Uscc = Annotated[str, AfterValidator(_uscc)]
AssetNo = Annotated[
    str,
    StringConstraints(
        pattern=pattern(
            r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$",
            "must be letters, digits, points, underscores and hyphens, at most 64",
        )
    ),
]


class Identity(StrictModel):
    """Who this gateway is; the city must have enrolled it."""

    id: Identifier = Field(description="gateway id as enrolled at the city; also the MQTT user")
    enterprise_uscc: Uscc = Field(description="unified social credit code of the enterprise")
    site_no: str = Field("1", min_length=1, max_length=16, description="site of the enterprise")
    synthetic: bool = Field(
        False,
        description="true if the devices are simulators; the city "
        "then counts nothing of it, unless it demonstrates",
    )


class TagConfig(StrictModel):
    """One measured quantity of a machine."""

    name: TagName = Field(description="field name in the store, unique within the machine")
    address: Any = Field(description="where the driver finds it; see the driver's page")
    unit: str = Field("", max_length=32, description="unit of the scaled value")
    role: Literal["value", "state", "counter", "alarm"] = Field("value", description="what it is")
    label_zh: str = Field("", max_length=64, description="name for Chinese readers")
    label_en: str = Field("", max_length=64, description="name for English readers")
    scale: float | None = Field(None, description="value = raw × scale + offset; result is float")
    offset: float = Field(0.0, description="see scale")
    minimum: float | None = Field(None, description="a scaled value below is BAD (range)")
    maximum: float | None = Field(None, description="a scaled value above is BAD (range)")
    deadband: float = Field(0.0, ge=0, description="send when the value moved by more than this")
    max_silence_ms: int = Field(
        60_000, ge=1_000, le=86_400_000, description="send at least this often, changed or not"
    )
    asset_no: AssetNo | None = Field(None, description="machine it belongs to, if not the device's")

    @model_validator(mode="after")
    def _ordered(self) -> "TagConfig":
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum:g} is above maximum {self.maximum:g}")
        if self.scale == 0:
            raise ValueError("scale 0 would make every value the same; leave it out for raw values")
        return self


class GroupConfig(StrictModel):
    """Tags that are read together."""

    name: Identifier = Field(description="unique within the device")
    interval_ms: int = Field(1_000, ge=10, le=3_600_000, description="period of reading")
    mode: Literal["poll", "subscribe"] | None = Field(None, description="default: the driver's")
    tags: tuple[TagConfig, ...] = Field((), description="the tags")
    tags_file: Path | None = Field(None, description="point table (.csv or .xlsx) with more tags")


class ProfileConfig(StrictModel):
    """A type of machine: what many devices share."""

    name: TagName = Field(description="profile name; the measurement in the store")
    driver: str = Field(description="driver that its addresses are for")
    source: Literal["controller", "sensor"] = Field(
        description="controller: the machine's own controller speaks; sensor: an added meter"
    )
    title_zh: str = Field("", max_length=64, description="name for Chinese readers")
    title_en: str = Field("", max_length=64, description="name for English readers")
    provenance: str = Field("", description="where the addresses come from")
    verified_on_hardware: bool = Field(False, description="checked on a real machine")
    groups: tuple[GroupConfig, ...] = Field(min_length=1, description="groups of tags")


class DeviceConfig(StrictModel):
    """One connection to equipment."""

    id: Identifier = Field(description="unique within the gateway")
    driver: str = Field(description="driver that talks to it")
    profile: str = Field(description="name of a profile")
    asset_no: AssetNo = Field(description="ledger number of the machine")
    connection: Any = Field(description="how to reach it; see the driver's page")
    parameters: dict[str, str] = Field(
        {}, description="what {name} in the profile's addresses stands for on this device"
    )
    timeout_ms: int = Field(3_000, ge=50, le=60_000, description="longest wait for one reading")
    connect_timeout_ms: int = Field(5_000, ge=50, le=60_000, description="longest wait to connect")
    retry_min_ms: int = Field(1_000, ge=100, le=60_000, description="first wait to reconnect")
    retry_max_ms: int = Field(30_000, ge=1_000, le=3_600_000, description="longest such wait")

    @model_validator(mode="after")
    def _ordered(self) -> "DeviceConfig":
        if self.retry_min_ms > self.retry_max_ms:
            raise ValueError(
                f"retry_min_ms {self.retry_min_ms} is above retry_max_ms {self.retry_max_ms}"
            )
        return self


class MqttNorthbound(StrictModel):
    """Frames to the city over MQTT, acknowledged end to end."""

    type: Literal["mqtt"] = Field("mqtt", description="kind of northbound")
    url: MqttUrl = Field(description="mqtt://host:port or mqtts://host:port")
    username: str | None = Field(None, description="default: the gateway id")
    password: Secret | None = Field(None, description="credential printed at enrolment")
    tls: ClientTls | None = Field(None, description="for mqtts")
    protocol: Literal["3.1.1", "5"] = Field("5", description="MQTT version")
    keepalive_s: int = Field(20, ge=5, le=600, description="MQTT keep-alive")
    window: int = Field(20, ge=1, le=100, description="frames sent and not yet acknowledged")
    ack_timeout_ms: int = Field(
        30_000,
        ge=1_000,
        le=600_000,
        description="frames are sent again when no ack came for this long",
    )
    state_interval_ms: int = Field(5_000, ge=500, le=300_000, description="period of signs of life")
    connect_timeout_ms: int = Field(10_000, ge=500, le=60_000, description="longest wait")
    retry_max_ms: int = Field(30_000, ge=1_000, le=600_000, description="longest wait to reconnect")

    @model_validator(mode="after")
    def _tls_is_used(self) -> "MqttNorthbound":
        demand_tls_scheme(self.url, self.tls)
        return self


class BufferConfig(StrictModel):
    """The durable buffer: what is read is on disk before anything else happens to it."""

    path: Path = Field(Path("qulink-buffer.db"), description="file; its folder must exist")
    quota_mib: float = Field(1_024, ge=1, le=1_048_576, description="oldest frames go above this")
    max_age_hours: float = Field(720, gt=0, le=87_600, description="older frames go")
    commit_interval_ms: int = Field(500, ge=10, le=10_000, description="group commit period")


class GatewayConfig(StrictModel):
    """The whole configuration of an edge."""

    gateway: Identity = Field(description="who this gateway is")
    profiles: tuple[ProfileConfig, ...] = Field((), description="machine profiles written here")
    profile_files: tuple[Path, ...] = Field((), description="files with one profile each")
    devices: tuple[DeviceConfig, ...] = Field(description="connections to equipment", min_length=1)
    northbound: tuple[MqttNorthbound, ...] = Field((), max_length=1, description="where data goes")
    buffer: BufferConfig = Field(BufferConfig(), description="the durable buffer")
    console: ConsoleConfig | None = Field(None, description="the box's own page; absent: none")
