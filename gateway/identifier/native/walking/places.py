"""Sites that are named in values, and in which order their servers are asked. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gateway.identifier.irp.data import ADMINISTER, TCP, UDP, Server, Site, read_site
from gateway.identifier.irp.octets import WireError
from gateway.identifier.irp.placing import server_of
from gateway.identifier.irp.values import Value

SITE_TYPES = ("HS_SITE", "HS_SITE.6")
"""Of who answers for a prefix."""
DELEGATE_TYPES = ("HS_SITE.PREFIX", "HS_NA_DELEGATE")
"""Of who answers for what is derived from it."""
SERVICE_TYPES = ("HS_SERV", "HS_SERV.PREFIX")
"""Of a handle that says it instead."""
NAMING_TYPES = (*SITE_TYPES, *DELEGATE_TYPES, *SERVICE_TYPES)
PROTOCOLS = {TCP: "tcp", UDP: "udp"}
MAX_PLACES = 32
"""Ways to servers of one step; sites that name more are asked no further."""
_PORTS = range(1, 65_536)


@dataclass(frozen=True, slots=True)
class Sites:
    """Who is to be asked next.

    Attributes:
        sites: in the order in which they were told.
        told_by: address of the server that told them; empty: they were configured.
        until_s: when this is to be asked for anew, in seconds since 1970; 0: at once.
    """

    sites: tuple[Site, ...]
    told_by: str = ""
    until_s: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class Place:
    """A way to a server.

    Attributes:
        address: IP address; of configured ones a name, too.
        port: 1 to 65535.
        protocol: TCP or UDP.
        is_home: whether it is the one server of its site that holds the handle; another one's word
            that there is none says nothing.
    """

    address: str
    port: int
    protocol: int
    is_home: bool = field(default=True, compare=False)

    def __str__(self) -> str:
        return f"{self.address}:{self.port} {PROTOCOLS[self.protocol]}"


def places_of(sites: Sequence[Site], handle: str) -> list[Place]:
    """Every usable way to every server, each once.

    Servers that hold the handle come before others of their sites, and TCP before UDP.
    """
    every = [place for site in sites for place in _places(site, handle)]
    ordered = sorted(every, key=lambda one: (not one.is_home, one.protocol != TCP))
    return list(dict.fromkeys(ordered))[:MAX_PLACES]


def _places(site: Site, handle: str) -> Iterator[Place]:
    home = server_of(site, handle)
    for server in site.servers:
        yield from _ways(server, is_home=server is home)


def _ways(server: Server, *, is_home: bool) -> Iterator[Place]:
    for one in server.interfaces:
        if one.protocol in PROTOCOLS and one.use & ~ADMINISTER and one.port in _PORTS:
            yield Place(server.address, one.port, one.protocol, is_home)


def sites_in(values: Sequence[Value], *, is_derived: bool = False) -> tuple[Site, ...]:
    """Sites that values name, those of the prefix itself before those for derived ones.

    Args:
        values: as a server told them.
        is_derived: only those for derived ones count.
    """
    for types in (DELEGATE_TYPES,) if is_derived else (SITE_TYPES, DELEGATE_TYPES):
        if found := tuple(_read(one for one in values if one.type in types)):
            return found
    return ()


def service_in(values: Sequence[Value]) -> str:
    """The handle that names the sites instead; empty if none does."""
    for one in values:
        if one.type in SERVICE_TYPES:
            return one.data.decode(errors="replace")
    return ""


def _read(values: Iterator[Value]) -> Iterator[Site]:
    for value in values:
        try:
            yield read_site(value.data)
        except WireError:  # one that is broken does not hide the others
            continue
