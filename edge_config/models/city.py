"""What the bureau (or an enterprise's data room) writes: one city."""

import re
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import parse_qsl, urlsplit

from edge_config.models.base import (
    ClientTls,
    HttpUrl,
    ListenAddress,
    MqttUrl,
    Secret,
    allow_plain_field,
    demand_tls_scheme,
    is_loopback,
    pattern,
)
from edge_config.models.counting import (
    CalendarConfig,
    DefinitionsConfig,
    OpenDataConfig,
    RatesConfig,
    SheetConfig,
)
from edge_config.models.data.keeping import AgreementsConfig, RetentionConfig
from edge_config.models.identifiers.registries import (
    HandleJsonNode,
    IdhubNode,
    NativeNode,
    SnmsNode,
)
from edge_config.models.identifiers.resolver import ResolverConfig
from edge_config.models.identifiers.suffix import SuffixPattern
from edge_config.models.people.alerts import AlertsConfig
from edge_config.models.people.console import CityConsoleConfig
from edge_config.models.plain import demand_no_secret, demand_private, is_loopback_host
from edge_config.models.settings import Field, Rule, Settings

REGION = pattern(r"^[0-9]{6}$", "must be the six digits of GB/T 2260, in quotes: '330800'")


_SHANGHAI = timezone(timedelta(hours=8))


class CityIdentity(Settings):
    """Which city this is."""

    region: str = Field(pattern=REGION, description="GB/T 2260 code, as 330800")
    name_zh: str = Field(min_length=1, description="name for Chinese readers")
    name_en: str = Field(min_length=1, description="name for English readers")
    began_on: date | None = Field(
        default=None,
        description="day of its start of operation, as 2026-03-01, written once; nothing before "
        "it counts; default: the day of the first enrolment",
    )

    def __post_init__(self) -> None:
        today = datetime.now(_SHANGHAI).date()
        if self.began_on is not None and self.began_on > today:
            raise ValueError(f"began_on {self.began_on} is in the future; today is {today}")


class BrokerConfig(Settings):
    """The MQTT broker that the gateways publish to."""

    url: MqttUrl = Field(description="mqtt://host:port or mqtts://host:port")
    username: str = Field(default="city", description="MQTT user of the city")
    password: Secret | None = Field(default=None, description="its password")
    tls: ClientTls | None = Field(default=None, description="for mqtts")
    allow_plain: bool = allow_plain_field()
    protocol: Literal["3.1.1", "5"] = Field(default="5", description="MQTT version")
    keepalive_s: int = Field(default=20, ge=5, le=600, description="MQTT keep-alive")
    max_message_bytes: int = Field(
        default=4_194_304, ge=1_024, le=16_777_216, description="larger messages are quarantined"
    )
    gateway_login: Literal["password", "certificate"] = Field(
        default="password",
        description="what gateways prove themselves with; certificate: one whose name is the "
        "gateway's id, as deploy/mosquitto demands it",
    )
    password_file: Path | None = Field(
        default=None,
        description="mosquitto password file that enrolment adds the gateway's line to",
    )
    connect_timeout_ms: int = Field(default=10_000, ge=500, le=60_000, description="longest wait")
    retry_max_ms: int = Field(
        default=30_000, ge=1_000, le=600_000, description="longest wait to reconnect"
    )

    def __post_init__(self) -> None:
        demand_tls_scheme(self.url, self.tls)
        demand_private(self.url, has_secret=self.password is not None, allow_plain=self.allow_plain)
        if self.gateway_login == "certificate" and self.password_file is not None:
            raise ValueError(
                "'password_file' is for gateways with passwords; with 'gateway_login: certificate' "
                "leave it out"
            )


class EmbeddedStore(Settings):
    """Telemetry in an SQLite file: the demo, or a single small factory."""

    type: Literal["embedded"] = Field(default="embedded", description="kind of store")
    path: Path = Field(default=Path("telemetry.db"), description="file, relative to data_dir")


class Influx1Store(Settings):
    """InfluxDB 1.x. Beside a value that is not GOOD stands its status byte, as ``<tag>.q``."""

    type: Literal["influxdb1"] = Field(description="kind of store")
    url: HttpUrl = Field(description="as http://127.0.0.1:8086")
    database: str = Field(min_length=1, description="database; must exist")
    retention_policy: str | None = Field(default=None, description="default: the database's")
    username: str | None = Field(default=None, description="user")
    password: Secret | None = Field(default=None, description="its password")
    allow_plain: bool = allow_plain_field()
    timeout_ms: int = Field(
        default=10_000, ge=100, le=300_000, description="longest wait for one request"
    )

    def __post_init__(self) -> None:
        demand_private(self.url, has_secret=self.password is not None, allow_plain=self.allow_plain)


class Influx2Store(Settings):
    """InfluxDB 2.x. Beside a value that is not GOOD stands its status byte, as ``<tag>.q``."""

    type: Literal["influxdb2"] = Field(description="kind of store")
    url: HttpUrl = Field(description="as http://127.0.0.1:8086")
    org: str = Field(min_length=1, description="organisation")
    bucket: str = Field(min_length=1, description="bucket; must exist")
    token: Secret = Field(description="token that may write and read the bucket")
    allow_plain: bool = allow_plain_field()
    timeout_ms: int = Field(
        default=10_000, ge=100, le=300_000, description="longest wait for one request"
    )

    def __post_init__(self) -> None:
        demand_private(self.url, has_secret=True, allow_plain=self.allow_plain)


Store = Annotated[EmbeddedStore | Influx1Store | Influx2Store, Rule(discriminator="type")]


class DatabaseConfig(Settings):
    """Ledger, evidence, results: a relational database."""

    url: str = Field(
        default="sqlite:///city.db",
        pattern=pattern(
            r"^(sqlite:///|postgresql(\+psycopg)?://)",
            "must be sqlite:///file or postgresql://user@host/database",
        ),
        description="SQLAlchemy URL; an SQLite path is relative to data_dir",
    )
    password: Secret | None = Field(default=None, description="the user's password")
    allow_plain: bool = allow_plain_field()

    def __post_init__(self) -> None:
        demand_no_secret(self.url)
        sure = re.search(r"[?&]sslmode=(require|verify-ca|verify-full)(&|$)", self.url)
        secret = self.password is not None and not self.allow_plain
        if secret and sure is None and self._is_remote():
            raise ValueError(
                "the password may travel in the clear: add '?sslmode=verify-full' to the url, or "
                "'allow_plain: true' if nobody else can listen on the way"
            )

    def _is_remote(self) -> bool:
        parts = urlsplit(self.url)
        host = dict(parse_qsl(parts.query)).get("host") or parts.hostname or ""
        return not (not host or host.startswith("/") or is_loopback_host(host))


class EmbeddedNode(Settings):
    """The enterprise node that comes with the product."""

    type: Literal["embedded"] = Field(default="embedded", description="kind of node")
    listen: ListenAddress = Field(
        default="127.0.0.1:3000", description="address the node listens on"
    )
    native_listen: ListenAddress | None = Field(
        default=None,
        description="address of the native protocol of handles, TCP and UDP, as 127.0.0.1:2641",
    )
    path: Path = Field(default=Path("node.db"), description="file, relative to data_dir")

    def __post_init__(self) -> None:
        # What it holds of machines is for its enterprises; who may see which item is not told yet.
        if not all(is_loopback(one) for one in (self.listen, self.native_listen) if one):
            raise ValueError("the embedded node listens on loopback only")


Node = Annotated[
    EmbeddedNode | SnmsNode | IdhubNode | HandleJsonNode | NativeNode, Rule(discriminator="type")
]


def _usable(text: str) -> str:
    SuffixPattern.parse(text)
    return text


SuffixText = Annotated[str, Rule(_usable)]


NEVER_MS = 2**62
"""Longer than any clock runs, and less than a database's whole numbers."""


class IdentifierConfig(Settings):
    """How machines get their industrial-internet identifiers."""

    prefix: str = Field(
        pattern=pattern(
            r"^(86|88)\.[0-9]{1,4}$", "must be 86. or 88. and up to four digits, as 88.999"
        ),
        description="country and industry node, as 88.999; the enterprise's code follows it",
    )
    suffix: SuffixText = Field(
        default="{class}.{yyyymmdd}.{seq:06d}", description="pattern of the suffix"
    )
    page_url: HttpUrl | None = Field(
        default=None,
        description="the console's /id as phones reach it, as https://city.example.cn/id: QR codes "
        "hold it with the identifier behind; default: they hold the identifier alone",
    )
    review: Literal["hours", "released"] = Field(
        default="hours",
        description="what a new machine of the ledger waits for before it gets its identifier; "
        "hours: 'review_hours' at the longest, released: until a person releases it",
    )
    review_hours: int = Field(
        default=24,
        ge=0,
        le=8_760,
        description="how long a new machine of the ledger waits for a look before it gets its "
        "identifier, which is never taken back; 0: not at all",
    )
    template_version: str = Field(default="qulink-equipment-1", description="template at the node")
    timeout_ms: int = Field(
        default=10_000, ge=100, le=300_000, description="longest wait for one request"
    )
    batch: int = Field(
        default=500, ge=1, le=2_000, description="identifiers registered in one call"
    )

    @property
    def review_ms(self) -> int:
        """How long a machine waits at the longest, milliseconds; ``NEVER_MS``: for a release."""
        return NEVER_MS if self.review == "released" else self.review_hours * 3_600_000


class CityConfig(Settings):
    """The whole configuration of a city."""

    city: CityIdentity = Field(description="which city this is")
    demonstration: bool = Field(
        default=False, description="true: synthetic machines count, and every page and file says so"
    )
    data_dir: Path = Field(default=Path("qulink-city"), description="folder for the files below")
    broker: BrokerConfig = Field(description="the MQTT broker")
    store: Store = Field(default=EmbeddedStore(), description="where telemetry goes")
    database: DatabaseConfig = Field(
        default=DatabaseConfig(), description="where everything else goes"
    )
    console: CityConsoleConfig = Field(default=CityConsoleConfig(), description="the web console")
    definitions: DefinitionsConfig = Field(default=DefinitionsConfig(), description="rates")
    rates: RatesConfig = Field(default=RatesConfig(), description="who counts machines")
    calendar: CalendarConfig = Field(default=CalendarConfig(), description="days of rest")
    sheet: SheetConfig = Field(default=SheetConfig(), description="printed sheets")
    open_data: OpenDataConfig = Field(default=OpenDataConfig(), description="published tables")
    identifier: IdentifierConfig = Field(description="identifiers of machines")
    node: Node = Field(default=EmbeddedNode(), description="where identifiers are registered")
    resolver: ResolverConfig = Field(
        default=ResolverConfig(), description="who is asked for codes of identifier systems"
    )
    agreements: AgreementsConfig = Field(
        default=AgreementsConfig(), description="what of enterprises may be collected"
    )
    retention: RetentionConfig = Field(
        default=RetentionConfig(), description="how long things are kept"
    )
    alerts: AlertsConfig = Field(default=AlertsConfig(), description="what people are told of")
    demonstration_control: str | None = Field(
        default=None,
        pattern=pattern(r"^http://127\.0\.0\.1:[0-9]+$", "must be http://127.0.0.1:port"),
        description="where the demonstration starts and stops its simulated lines",
    )
    silence_ms: int = Field(
        default=12_000, ge=1_000, le=3_600_000, description="a gateway silent for longer is a gap"
    )
