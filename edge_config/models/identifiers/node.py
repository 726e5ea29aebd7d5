"""What the operator of a node of identifiers writes."""

from ipaddress import ip_address
from pathlib import Path
from typing import Literal

from edge_config.models.base import ListenAddress, ServerTls, is_loopback, pattern, split_listen
from edge_config.models.city import DatabaseConfig
from edge_config.models.identifiers.places import IpAddress
from edge_config.models.settings import Field, Settings

Seen = Literal["everybody", "member", "enterprise"]


class NodeDatabase(DatabaseConfig):
    """What the node keeps: a relational database of its own."""

    url: str = Field(
        default="sqlite:///node.db",
        pattern=pattern(
            r"^(sqlite:///|postgresql(\+psycopg)?://)",
            "must be sqlite:///file or postgresql://user@host/database",
        ),
        description="SQLAlchemy URL; an SQLite path is relative to data_dir",
    )


class NodeLimits(Settings):
    """How much is asked of a node at most."""

    registrations_per_day: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000_000,
        description="identifiers that one user may register on a day of Asia/Shanghai; default: "
        "any number",
    )
    requests_per_minute: int = Field(
        default=6_000,
        ge=10,
        le=10_000_000,
        description="requests of one visitor: an IPv4 address, or an IPv6 network of 64 bits; by "
        "HTTP and natively each so many; each of several 'processes' counts for itself",
    )


class NodeConfig(Settings):
    """The whole configuration of a node of identifiers."""

    prefix: str = Field(
        pattern=pattern(
            r"^[0-9A-Za-z]{1,20}(\.[0-9A-Za-z]{1,20})*$",
            "must be letters and digits with dots between them, as 88.999, in quotes: '88.999'",
        ),
        description="of the node, as '88.999'; prefixes of enterprises begin with it",
    )
    data_dir: Path = Field(default=Path("qulink-node"), description="folder for the files below")
    database: NodeDatabase = Field(default=NodeDatabase(), description="where all is kept")
    listen: ListenAddress = Field(
        default="127.0.0.1:3000", description="address of the HTTP interfaces"
    )
    tls: ServerTls | None = Field(default=None, description="certificate; required off loopback")
    native_listen: ListenAddress | None = Field(
        default=None,
        description="address of the native protocol of handles, TCP and UDP, as 0.0.0.0:2641; "
        "changes are taken there from who proves himself with a key",
    )
    processes: int = Field(
        default=1,
        ge=1,
        le=64,
        description="that answer at native_listen; several only tell what everybody may see, and "
        "changes are taken at native_admin_listen",
    )
    native_admin_listen: ListenAddress | None = Field(
        default=None,
        description="address where changes are taken natively if several processes answer, TCP "
        "and UDP, as 0.0.0.0:2642; default: not natively",
    )
    native_address: IpAddress | None = Field(
        default=None,
        description="IP address by which others reach native_listen, for the node's HS_SITE; "
        "default: that of native_listen",
    )
    visibility: dict[str, Seen] = Field(
        default_factory=dict,
        description="who sees items whose template does not say it, by idType: everybody, member "
        "(who is logged in), enterprise; default: enterprise",
    )
    limits: NodeLimits = Field(default=NodeLimits(), description="how much is asked at most")

    def __post_init__(self) -> None:
        if self.processes > 1 and self.native_listen is None:
            raise ValueError("'processes' answer at 'native_listen'; give it, or leave them out")
        if self.native_admin_listen is not None and self.processes == 1:
            raise ValueError(
                "'native_admin_listen' is for several 'processes'; one takes changes at "
                "'native_listen'"
            )
        if not is_loopback(self.listen) and self.tls is None:
            raise ValueError(
                f"listening on {self.listen} needs 'tls', because secrets are sent to the node; "
                "without it only a loopback address such as 127.0.0.1 is allowed"
            )
        if self.native_listen is not None and self.native_address is None:
            self._demand_address(split_listen(self.native_listen)[0])

    @staticmethod
    def _demand_address(host: str) -> None:
        try:
            is_some = not ip_address(host).is_unspecified
        except ValueError:
            is_some = False
        if not is_some:
            raise ValueError(
                f"{host} is no address that others could reach: set 'native_address' to the IP "
                "address by which they do"
            )
