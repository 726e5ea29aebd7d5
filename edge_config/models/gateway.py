"""What a factory writes: one gateway with its devices, groups, tags and northbound."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from edge_config.models import ledger_number, uscc
from edge_config.models.base import (
    ClientTls,
    ConsoleConfig,
    MqttUrl,
    Secret,
    allow_plain_field,
    demand_tls_scheme,
    pattern,
)
from edge_config.models.ledger_number import MAX_SITE_NO
from edge_config.models.plain import demand_private
from edge_config.models.settings import Field, Rule, Settings
from edge_config.models.tag import AssetNo, NoValue, TagConfig, TagName

Identifier = Annotated[
    str,
    Rule(
        pattern=pattern(
            r"^[a-z0-9][a-z0-9-]{0,62}$",
            "must be small letters, digits and hyphens, at most 63",
        )
    ),
]


def _uscc(code: str) -> str:
    wrong = uscc.problem(code)
    if wrong:
        raise ValueError(f"{code!r}: {wrong}")
    return code


Uscc = Annotated[str, Rule(_uscc)]
SiteNo = Annotated[str, Rule(partial(ledger_number.held, limit=MAX_SITE_NO), min_length=1)]
"""Number of a site of the enterprise, as the ledger has it."""


CITY = "city"
"""Name of the northbound that the books speak of."""

MOST_NORTHBOUNDS = 6


class Identity(Settings):
    """Who this gateway is; the city must have enrolled it."""

    id: Identifier = Field(description="gateway id as enrolled at the city; also the MQTT user")
    enterprise_uscc: Uscc = Field(description="unified social credit code of the enterprise")
    site_no: SiteNo = Field(default="1", description="site of the enterprise")
    synthetic: bool = Field(
        default=False,
        description="true if the devices are simulators; the city "
        "then counts nothing of it, unless it demonstrates",
    )


Mode = Literal["poll", "subscribe"]
"""How a group is read: asked at every tick, or told by the device."""


class GroupConfig(Settings):
    """Tags that are read together."""

    name: Identifier = Field(description="unique within the device")
    interval_ms: int = Field(default=1_000, ge=10, le=3_600_000, description="period of reading")
    mode: Mode | None = Field(default=None, description="default: the driver's")
    tags: tuple[TagConfig, ...] = Field(default=(), description="the tags")
    tags_file: Path | None = Field(
        default=None, description="point table (.csv or .xlsx) with more tags"
    )
    tags_sheet: str | None = Field(
        default=None,
        min_length=1,
        description="sheet of the workbook; default: the visible one that looks like a point table",
    )
    tags_header_row: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="row that names the columns; default: looked for in the first rows",
    )


Notation = Literal["reference", "wire", "from_1", "hex"]
"""What the numbers in a manual are; see the page of the driver."""


class ProfileConfig(Settings):
    """A type of machine: what many devices share."""

    name: TagName = Field(description="profile name; the measurement in the store")
    driver: str = Field(description="driver that its addresses are for")
    source: Literal["controller", "sensor"] = Field(
        description="controller: the machine's own controller speaks; sensor: an added meter"
    )
    title_zh: str = Field(default="", max_length=64, description="name for Chinese readers")
    title_en: str = Field(default="", max_length=64, description="name for English readers")
    provenance: str = Field(default="", description="where the addresses come from")
    verified_on_hardware: bool = Field(default=False, description="checked on a real machine")
    notation: Notation | None = Field(
        default=None,
        description="what numbers are in its manual: reference (40001: table and register, "
        "from 1), wire (as in a request), from_1 (counted from 1) or hex (as wire, in base 16)",
    )
    no_value: dict[str, NoValue] = Field(
        default_factory=dict,
        description="codes for no value of all tags of a type, as {int16: 0x8000, float32: nan}",
    )
    groups: tuple[GroupConfig, ...] = Field(min_length=1, description="groups of tags")


class DeviceConfig(Settings):
    """One connection to equipment."""

    id: Identifier = Field(description="unique within the gateway")
    driver: str = Field(description="driver that talks to it")
    profile: str = Field(description="name of a profile")
    asset_no: AssetNo = Field(description="ledger number of the machine")
    connection: Any = Field(description="how to reach it; see the driver's page")
    parameters: dict[str, str] = Field(
        default_factory=dict,
        description="what {name} in the profile's addresses stands for on this device",
    )
    timeout_ms: int = Field(
        default=3_000, ge=50, le=60_000, description="longest wait for one reading"
    )
    connect_timeout_ms: int = Field(
        default=5_000, ge=50, le=60_000, description="longest wait to connect"
    )
    retry_min_ms: int = Field(
        default=1_000, ge=100, le=60_000, description="first wait to reconnect"
    )
    retry_max_ms: int = Field(
        default=30_000, ge=1_000, le=3_600_000, description="longest such wait"
    )

    def __post_init__(self) -> None:
        if self.retry_min_ms > self.retry_max_ms:
            raise ValueError(
                f"retry_min_ms {self.retry_min_ms} is above retry_max_ms {self.retry_max_ms}"
            )


class QulinkNorthbound(Settings):
    """Frames to a city over MQTT, acknowledged end to end."""

    kind: Literal["qulink"] = Field(default="qulink", description="what it speaks")
    name: Identifier = Field(
        default=CITY,
        description="under which the buffer keeps what waits for it; the books speak of `city`",
    )
    quota_mib: float | None = Field(
        default=None, ge=1, le=1_048_576, description="default: the buffer's"
    )
    max_age_hours: float | None = Field(
        default=None, gt=0, le=87_600, description="default: the buffer's"
    )
    begin: Literal["oldest", "now"] = Field(
        default="oldest", description="where it begins when it is added to a buffer in use"
    )
    max_frame_bytes: int = Field(
        default=1_048_576,
        ge=4_096,
        le=4_194_304,
        description="largest message; a broker of MQTT 5 that takes less says so",
    )
    url: MqttUrl = Field(description="mqtt://host:port or mqtts://host:port")
    username: str | None = Field(default=None, description="default: the gateway id")
    password: Secret | None = Field(default=None, description="credential printed at enrolment")
    tls: ClientTls | None = Field(default=None, description="for mqtts")
    allow_plain: bool = allow_plain_field()
    protocol: Literal["3.1.1", "5"] = Field(default="5", description="MQTT version")
    keepalive_s: int = Field(default=20, ge=5, le=600, description="MQTT keep-alive")
    window: int = Field(
        default=20, ge=1, le=100, description="frames sent and not yet acknowledged"
    )
    ack_timeout_ms: int = Field(
        default=30_000,
        ge=1_000,
        le=600_000,
        description="frames are sent again when no ack came for this long",
    )
    frame_interval_ms: int = Field(
        default=1_000,
        ge=0,
        le=60_000,
        description="how often a message leaves while there is little to send",
    )
    state_interval_ms: int = Field(
        default=5_000, ge=500, le=300_000, description="period of signs of life"
    )
    connect_timeout_ms: int = Field(default=10_000, ge=500, le=60_000, description="longest wait")
    retry_max_ms: int = Field(
        default=30_000, ge=1_000, le=600_000, description="longest wait to reconnect"
    )

    def __post_init__(self) -> None:
        demand_tls_scheme(self.url, self.tls)
        demand_private(self.url, has_secret=self.password is not None, allow_plain=self.allow_plain)


Northbound = QulinkNorthbound
"""A union of all kinds, told apart by ``kind``, as soon as there is another."""


class BufferConfig(Settings):
    """The durable buffer: what is read is on disk before anything else happens to it."""

    path: Path = Field(default=Path("qulink-buffer.db"), description="file; its folder must exist")
    quota_mib: float = Field(
        default=1_024, ge=1, le=1_048_576, description="oldest frames go above this"
    )
    max_age_hours: float = Field(default=720, gt=0, le=87_600, description="older frames go")
    commit_interval_ms: int = Field(
        default=500, ge=10, le=10_000, description="group commit period"
    )


class CommandsConfig(Settings):
    """Writing to devices, by people and by the city; each write is recorded beside the buffer."""

    enabled: bool = Field(
        default=False, description="true: tags with `access: read-write` may be written"
    )
    expire_ms: int = Field(
        default=10_000,
        ge=1_000,
        le=600_000,
        description="a command that could not begin by then is refused, whatever it says itself",
    )


class GatewayConfig(Settings):
    """The whole configuration of an edge."""

    gateway: Identity = Field(description="who this gateway is")
    profiles: tuple[ProfileConfig, ...] = Field(
        default=(), description="machine profiles written here"
    )
    profile_files: tuple[Path, ...] = Field(default=(), description="files with one profile each")
    devices: tuple[DeviceConfig, ...] = Field(description="connections to equipment", min_length=1)
    northbound: tuple[Northbound, ...] = Field(
        default=(), max_length=MOST_NORTHBOUNDS, description="where data goes"
    )
    buffer: BufferConfig = Field(default=BufferConfig(), description="the durable buffer")
    commands: CommandsConfig = Field(default=CommandsConfig(), description="writing to devices")
    console: ConsoleConfig | None = Field(
        default=None, description="the box's own page; absent: none"
    )
    control_socket: Path | None = Field(
        default=None,
        description="Unix socket for `qulink device`; default: beside the buffer, `.sock`",
    )

    def __post_init__(self) -> None:
        names = [one.name for one in self.northbound]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"northbounds have the name {twice[0]!r} twice; give each its own")
        if names and CITY not in names:
            raise ValueError(f"no northbound has the name {CITY!r}, of which the books speak")
