"""Where a URL of a server leads, and what a person may say of a look into it. Pure."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from edge_config.models.settings import Field
from gateway.drivers.search import SearchOptions, Target

EXAMPLE = "opc.tcp://192.0.2.7:4840"
_SECRET = "password_file"  # noqa: S105 - the name of a key


class Options(SearchOptions):
    """How far to look into the tree of a server."""

    depth: int = Field(
        default=10,
        ge=1,
        le=50,
        description="levels below the Objects folder",
        title_zh="层数",
        title_en="Levels",
    )
    count: int = Field(
        default=2_000,
        ge=1,
        le=100_000,
        description="most variables to list",
        title_zh="最多变量数",
        title_en="Most variables",
    )
    standard: bool = Field(
        default=False,
        description="look into the Server object of the standard too",
        title_zh="包括 Server 对象",
        title_en="Server object too",
    )


def target(url: str) -> Target:
    """The connection that a URL means; keys of it may follow behind ``?``.

    A password is never part of it: ``?username=op&password_file=PATH`` names a file.

    Raises:
        ValueError: it is none; says how one is written.
    """
    parts = urlsplit(url)
    if parts.scheme != "opc.tcp" or not parts.hostname:
        raise ValueError(f"{url!r} is no address of an OPC UA server; write it as {EXAMPLE}")
    keys: dict[str, Any] = dict(parse_qsl(parts.query))
    if _SECRET in keys:
        keys["password"] = {"file": keys.pop(_SECRET)}
    return Target({"url": parts._replace(query="").geturl(), **keys}, {})
