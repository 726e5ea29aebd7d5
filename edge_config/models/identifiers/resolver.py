"""Who is asked for codes of identifier systems, in which order."""

from pathlib import Path
from typing import Annotated, Literal

from edge_config.models.base import HttpUrl, pattern
from edge_config.models.identifiers.places import IpAddress, Place
from edge_config.models.identifiers.registries import IdhubNode, SnmsNode
from edge_config.models.settings import Field, Rule, Settings


class NativeServers(Settings):
    """Servers of the native protocol of handles: a node, a recursive node, or roots."""

    type: Literal["native"] = Field(description="kind of source")
    servers: tuple[Place, ...] = Field(
        min_length=1, description="host:port, asked one after another until one answers"
    )
    vaa: bool = Field(
        default=False,
        description="true: VAA codes are asked for by the handle that stands for them; the "
        "servers' operator knows whether they do",
    )

    by_prefix: bool = Field(
        default=False,
        description="true, of recursive nodes and of roots: they are asked which sites answer for "
        "a prefix (`88.100.1`, `0.NA/88.100.1`), and these for the handle",
    )
    with_auth: bool = Field(
        default=False,
        description="true: questions to these servers end with an empty authentication, which "
        "some recursive nodes want",
    )
    referrals: Literal["public", "private", "any"] = Field(
        default="public",
        description="addresses that every server may refer to; whatever is set, it may name those "
        "that are as far inside as itself: on this host, in this network, private",
    )


class HandleJsonServer(Settings):
    """A Handle server, or a proxy, by its JSON interface."""

    type: Literal["handle-json"] = Field(description="kind of source")
    url: HttpUrl = Field(description="what stands before /api/handles")


class Gs1Resolver(Settings):
    """A resolver of GS1 Digital Links."""

    type: Literal["gs1"] = Field(description="kind of source")
    url: HttpUrl = Field(default="https://id.gs1.org", description="the resolver")


class OidServers(Settings):
    """Name servers that know OIDs (ORS)."""

    type: Literal["ors"] = Field(description="kind of source")
    root: str = Field(default="oid-res.org", description="domain below which OIDs stand")
    servers: tuple[IpAddress, ...] = Field(
        default=(), description="IP addresses of name servers; default: the system's"
    )
    port: int = Field(default=53, ge=1, le=65_535, description="of these servers")


class DidResolver(Settings):
    """A resolver of DIDs and BIDs."""

    type: Literal["did"] = Field(description="kind of source")
    url: HttpUrl = Field(description="of the resolver")
    path: str = Field(
        default="/1.0/identifiers", description="what stands before the DID; of BIDs often nothing"
    )


def _with_code(path: str) -> str:
    if not path.startswith("/") or path.count("{code}") != 1:
        raise ValueError("must begin with / and have {code} once, as /api/oid/{code}")
    return path


class UrlResolver(Settings):
    """An address where codes of one system are looked up, as a record in JSON."""

    type: Literal["url"] = Field(description="kind of source")
    system: Literal["handle", "oid", "gs1", "ecode", "vaa", "did"] = Field(
        description="of the codes that are asked for here"
    )
    prefix: str = Field(
        default="",
        description="with what these codes begin: arcs of an OID, `VAA088100`, version and "
        "numbering system of an Ecode, a company's prefix of GS1; default: all codes of the system",
    )
    url: HttpUrl = Field(description="of the server")
    path: Annotated[str, Rule(_with_code)] = Field(
        default="/{code}", description="what is asked for there; `{code}` is the code"
    )
    record: str = Field(
        default="",
        description="where the record stands in the answer, as `data.values`; default: all of it",
    )
    echo: str = Field(
        default="",
        description="where the answer repeats the code, as `data.code`: one of another code is "
        "not believed; default: nowhere",
    )


SourceConfig = Annotated[
    NativeServers
    | HandleJsonServer
    | SnmsNode
    | IdhubNode
    | Gs1Resolver
    | OidServers
    | DidResolver
    | UrlResolver,
    Rule(discriminator="type"),
]


class ResolverConfig(Settings):
    """Where codes are looked up."""

    sources: tuple[SourceConfig, ...] = Field(
        default=(), description="who is asked, the nearest first"
    )
    timeout_ms: int = Field(
        default=5_000, ge=100, le=60_000, description="longest wait for one server"
    )
    total_ms: int = Field(
        default=10_000, ge=100, le=600_000, description="longest wait for all servers together"
    )
    default_prefix: str = Field(
        default="",
        pattern=pattern(r"^([^\s/]+)?$", "must be a prefix without /, as 88.999.1"),
        description="of identifiers that are asked for without a prefix, as 88.999.1: what is no "
        "other code, or is known to nobody, is looked up below it",
    )
    path: Path = Field(
        default=Path("resolved.db"),
        description="file of records that were found, relative to data_dir; it may be deleted",
    )
    kept: int = Field(
        default=100_000, ge=1, le=10_000_000, description="records that are kept in it"
    )
