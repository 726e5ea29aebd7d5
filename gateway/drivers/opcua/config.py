"""What an operator writes for an OPC UA device: ``connection:`` and a tag's ``address:``."""

from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from edge_config.models.base import Secret, is_host
from edge_config.models.settings import Field, Rule, Settings
from gateway.core.schema import Kind
from gateway.drivers.opcua.nodes import NodeName, format_node, parse_node
from gateway.drivers.opcua.parts import Step, is_path, parse_path

DEFAULT_PORT = 4840
"""Registered for opc.tcp (Part 6, 7.2)."""

TypeName = Literal[
    "float64",
    "float32",
    "int64",
    "int32",
    "int16",
    "int8",
    "uint64",
    "uint32",
    "uint16",
    "uint8",
    "bool",
    "string",
    "datetime",
]

KINDS: dict[str, Kind] = {
    "float64": Kind.FLOAT64,
    "float32": Kind.FLOAT32,
    "int64": Kind.INT64,
    "int32": Kind.INT64,
    "int16": Kind.INT64,
    "int8": Kind.INT64,
    "uint64": Kind.UINT64,
    "uint32": Kind.UINT64,
    "uint16": Kind.UINT64,
    "uint8": Kind.UINT64,
    "bool": Kind.BOOL,
    "string": Kind.STRING,
    "datetime": Kind.INT64,
}
"""Column kind of each type; a ``datetime`` is whole UTC milliseconds since 1970."""


SecurityName = Literal[
    "none",
    "auto",
    "aes256_sha256_rsapss",
    "basic256sha256",
    "aes128_sha256_rsaoaep",
    "basic256",
    "basic128rsa15",
]

SECURED = ("aes256_sha256_rsapss", "basic256sha256", "aes128_sha256_rsaoaep")
"""Policies that are thought to be safe (Part 7, 6.6), the strongest first."""

BROKEN = ("basic256", "basic128rsa15")
"""Withdrawn in 2017 for their SHA-1 (Part 7, release 1.04); old controllers know no other."""


def _server_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme != "opc.tcp" or not is_host(parts.hostname or "") or text != text.strip():
        raise ValueError(f"must be opc.tcp://host:{DEFAULT_PORT}[/path]")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold credentials; use 'username' and 'password'")
    if parts.port == 0:
        raise ValueError("port 0 cannot be connected to")
    if parts.port:
        return text
    return parts._replace(netloc=f"{parts.netloc.removesuffix(':')}:{DEFAULT_PORT}").geturl()


def _path(text: str) -> str:
    parse_path(text)
    return text


class Connection(Settings):
    """How to reach an OPC UA server, and as whom."""

    url: Annotated[str, Rule(_server_url)] = Field(
        description="endpoint, opc.tcp://host:port/path; port 4840 if none is given"
    )
    discovery_url: Annotated[str, Rule(_server_url)] | None = Field(
        default=None,
        description="where the server tells its endpoints, with security only; default: at url, "
        "else at <url>/discovery",
    )
    security: SecurityName = Field(
        default="none",
        description="policy that secures the session; auto: the strongest that the server offers, "
        "but none that is broken (basic256, basic128rsa15); none: neither signed nor encrypted",
    )
    security_mode: Literal["sign_and_encrypt", "sign"] = Field(
        default="sign_and_encrypt",
        description="sign: every message is signed and can be read by others; auto takes it where "
        "the server does not encrypt",
    )
    discover: bool = Field(
        default=True,
        description="false: the server is not asked for its endpoints before it is connected; its "
        "certificate is the file server_certificate",
    )
    username: str | None = Field(default=None, min_length=1, description="absent: anonymous")
    password: Secret | None = Field(default=None, description="password of the user")
    password_in_clear: Literal["refuse", "allow"] = Field(
        default="refuse",
        description="whether a password may travel unencrypted if the server wants it so",
    )
    certificate_dir: Path = Field(
        default=Path("qulink-certificates"),
        description="folder for the generated own certificate and for trusted/ and rejected/",
    )
    certificate_file: Path | None = Field(
        default=None, description="own certificate (PEM or DER) instead of the generated one"
    )
    key_file: Path | None = Field(default=None, description="key of certificate_file (PEM or DER)")
    server_certificate: Path | None = Field(
        default=None,
        description="trusted server or CA certificate, or a folder of such; "
        "default: trusted/ in certificate_dir",
    )
    request_timeout_ms: int = Field(
        default=5_000, ge=100, le=60_000, description="longest wait for one answer of the server"
    )
    session_timeout_ms: int = Field(
        default=60_000,
        ge=5_000,
        le=3_600_000,
        description="the server drops a silent session after this; a third of it between signs "
        "of life",
    )
    publishing_ms: int | None = Field(
        default=None, ge=10, le=3_600_000, description="default: the group's interval, at most 1000"
    )
    sampling_ms: int | None = Field(
        default=None, ge=0, le=3_600_000, description="default: the group's interval"
    )
    keepalive_ms: int = Field(
        default=5_000,
        ge=100,
        le=600_000,
        description="a subscription without changes gives a sign of life at least this often",
    )
    server_clock: Literal["learn", "demand", "ignore"] = Field(
        default="learn",
        description="values are UNCERTAIN (frozen) while the server's CurrentTime stands still; "
        "learn: once it has been seen to move, demand: also if it never moved, ignore: never",
    )
    timestamps: Literal["source", "server", "gateway"] = Field(
        default="source",
        description="whose time a pushed value gets: that of its source, of the server, or of its "
        "arrival at the gateway",
    )
    max_clock_difference_ms: int = Field(
        default=60_000,
        ge=1_000,
        le=315_360_000_000,
        description="times that differ more from the gateway's clock are not believed: the value "
        "gets the gateway's time and is UNCERTAIN (clock)",
    )
    max_nodes_per_call: int | None = Field(
        default=None, ge=1, le=100_000, description="lower limit than the server announces"
    )

    def __post_init__(self) -> None:
        if (self.username is None) != (self.password is None):
            raise ValueError("'username' and 'password' go together; leave both for anonymous")
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("'certificate_file' and 'key_file' go together")
        if self.security_mode == "sign" and self.security in ("none", "auto"):
            raise ValueError(f"'security_mode' means nothing with 'security: {self.security}'")
        if not self.discover and (self.security in ("none", "auto") or not self.server_certificate):
            raise ValueError(
                "'discover: false' needs 'server_certificate', the server's own, and 'security', "
                f"one of {', '.join((*SECURED, *BROKEN))}"
            )

    @property
    def endpoint(self) -> str:
        """``host:port`` for messages."""
        return urlsplit(self.url).netloc

    @property
    def trust(self) -> Path:
        """File or folder with trusted certificates."""
        return self.server_certificate or self.certificate_dir / "trusted"


class Address(Settings):
    """Where a value lives in the server, and of what type it is.

    The text form is the node and the type with ``|`` between, and the path to a part of the value
    between them if there is one: ``nsu=http://acme/press;s=Press.Speed|float64``,
    ``nsu=http://acme/press;s=Temps|[3]|float64``.
    """

    node: Annotated[str, Rule(lambda text: format_node(parse_node(text)))] = Field(
        title_zh="节点",
        title_en="node",
        description="nsu=<namespace URI>;s=<name> (or i=, g=, b=); no nsu= in namespace 0; "
        "ns=<index> in place of nsu= where the server lists no URI for it",
    )
    part: Annotated[str, Rule(_path)] = Field(
        default="",
        title_zh="部分",
        title_en="part",
        description="path to a part of an array or structure: [3] is the element after three "
        "others, [1,2] one of a matrix, .Name a field, .Name[3] an element of a field",
    )
    type: TypeName = Field(
        title_zh="数据类型",
        title_en="type",
        description="type of the value; the server's must fit into it",
    )

    @classmethod
    def from_written(cls, written: Any) -> Any:
        """The fields of a mapping or of the text form."""
        if not isinstance(written, str):
            return written
        node, separator, kind = written.rpartition("|")
        if not separator:
            raise ValueError(
                f"{written!r}: write <node>|<type>, as in nsu=http://acme;s=Speed|float64"
            )
        before, bar, part = node.rpartition("|")
        if bar and is_path(part.strip()):
            return {"node": before.strip(), "part": part.strip(), "type": kind.strip()}
        return {"node": node.strip(), "type": kind.strip()}

    def __str__(self) -> str:
        part = f"{self.part}|" if self.part else ""
        return f"{self.node}|{part}{self.type}"

    @property
    def kind(self) -> Kind:
        """Kind of the raw column."""
        return KINDS[self.type]

    @cached_property
    def path(self) -> tuple[Step, ...]:
        """The parsed path; empty: the whole value."""
        return parse_path(self.part)

    @cached_property
    def name(self) -> NodeName:
        """The parsed node id."""
        return parse_node(self.node)
