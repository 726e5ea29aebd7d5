"""What may be known of an identifier: its values, or why this node has none to show."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection

from gateway.identifier.irp.bodies import Referral
from gateway.identifier.irp.data import ASK, TCP, UDP, Server, read_site
from gateway.identifier.irp.octets import WireError
from gateway.identifier.irp.values import Value
from gateway.identifier.node import rules
from gateway.identifier.node.keeping import prefixes, records
from gateway.identifier.node.keeping.records import Dates
from gateway.identifier.node.native.referring import Directory, prefix_asked
from gateway.identifier.node.registration import Registration, Withdrawal
from gateway.identifier.node.rights import registrations, templates
from gateway.identifier.node.rights.principal import Visit
from gateway.identifier.registering.marking import WITHDRAWN
from gateway.identifier.registering.registry import Outcome
from gateway.identifier.template import ITEMS_BY_TYPE

_STATUS = ITEMS_BY_TYPE["runStatus"].type
_WAYS = {TCP: "TCP", UDP: "UDP"}


class Standing(StrEnum):
    """How an identifier stands at this node."""

    HERE = "here"
    WITHDRAWN = "withdrawn"
    ELSEWHERE = "elsewhere"  # its prefix is delegated to another node
    CLOSED = "closed"  # likewise, and suspended: nobody is referred there
    PREFIX = "prefix"  # of this node; by itself it names nothing
    UNKNOWN = "unknown"
    FOREIGN = "foreign"  # its prefix is none of this node
    MALFORMED = "malformed"

    @property
    def outcome(self) -> str:
        """What answering comes to, for the counts."""
        if self is Standing.ELSEWHERE:
            return "referred"
        if self is Standing.CLOSED:
            return "not responsible"
        if self in (Standing.HERE, Standing.PREFIX):
            return Outcome.OK
        is_refused = self in (Standing.FOREIGN, Standing.MALFORMED)
        return Outcome.INVALID if is_refused else Outcome.NOT_FOUND


@dataclass(frozen=True, slots=True)
class Item:
    """One value of an identifier, as people read it.

    Attributes:
        type: as ``equipName``, URL.
        name: of the template's item, Chinese; empty: no template says one.
        text: empty: it is none.
        size: octets.
    """

    type: str
    name: str
    text: str
    size: int

    @property
    def is_link(self) -> bool:
        """Whether it leads to a page."""
        return self.text.startswith(("http://", "https://"))


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of an identifier.

    Attributes:
        handle: as it was registered, else as it was asked for.
        standing: how it stands.
        dates: of one that is or was here.
        version: of its template; empty: it follows none.
        items: its values that the one who asks may see.
        gone: what stays of it, if it was withdrawn.
        servers: where it is answered for, if elsewhere: ``address:port (TCP, UDP)``.
    """

    handle: str
    standing: Standing
    dates: Dates | None = None
    version: str = ""
    items: tuple[Item, ...] = ()
    gone: Withdrawal | None = None
    servers: tuple[str, ...] = ()

    @property
    def is_marked(self) -> bool:
        """Whether its record says that it was given by mistake."""
        return any(one.type == _STATUS and one.text == WITHDRAWN for one in self.items)


def look(connection: Connection, visit: Visit, handle: str) -> Finding:
    """Look an identifier up.

    Args:
        connection: of the node's database.
        visit: who asks.
        handle: in any case; also what is none.
    """
    directory = Directory(visit.terms.prefix, b"", prefixes.allotted(connection))
    named = prefix_asked(handle)
    prefix = named or handle.partition("/")[0]
    is_own = directory.is_own(prefix)
    if is_own and directory.is_closed(prefix):
        return Finding(handle, Standing.CLOSED)
    referral = directory.referred(prefix) if is_own else None
    if referral is not None:
        return Finding(handle, Standing.ELSEWHERE, servers=_servers(referral))
    if named and is_own:
        return Finding(handle, Standing.PREFIX)
    if rules.handle_problem(handle) is not None:
        return Finding(handle, Standing.MALFORMED)
    return _held(connection, visit, handle) if is_own else Finding(handle, Standing.FOREIGN)


def first_known(connection: Connection, handles: list[str]) -> str | None:
    """The first of some texts that is, or was, an identifier here."""
    fit = (one for one in handles if rules.handle_problem(one) is None)
    return next((one for one in fit if records.dates(connection, one.upper()) is not None), None)


def _held(connection: Connection, visit: Visit, handle: str) -> Finding:
    held = registrations.read(connection, visit, handle)
    dates = records.dates(connection, handle.upper())
    if held is not None:
        items = _items(connection, held)
        return Finding(held.handle, Standing.HERE, dates, held.template_version, items)
    gone = registrations.withdrawal(connection, visit, handle)
    if gone is not None:
        return Finding(handle, Standing.WITHDRAWN, dates, gone=gone)
    return Finding(handle, Standing.UNKNOWN)


def _items(connection: Connection, held: Registration) -> tuple[Item, ...]:
    template = templates.read(connection, held.prefix, held.template_version) or {"items": ()}
    names = {(one["idIndex"], one["idType"]): one["name"] for one in template["items"]}
    return tuple(
        Item(one.type, names.get((one.index, one.type), ""), _text(one), len(one.data))
        for one in held.values
    )


def _text(value: Value) -> str:
    """What people can read of a value; keys and sites are octets."""
    try:
        text = value.data.decode()
    except UnicodeDecodeError:
        return ""
    return text if all(one >= " " or one in "\t\r\n" for one in text) else ""


def _servers(referral: Referral) -> tuple[str, ...]:
    try:
        sites = [read_site(one.data) for one in referral.values]
    except WireError:
        return ()
    return tuple(place for site in sites for one in site.servers for place in _places(one))


def _places(server: Server) -> list[str]:
    """Where a server is asked natively."""
    host = f"[{server.address}]" if ":" in server.address else server.address
    ways: dict[int, list[str]] = {}
    for one in server.interfaces:
        if one.use & ASK and one.protocol in _WAYS:
            ways.setdefault(one.port, []).append(_WAYS[one.protocol])
    return [f"{host}:{port} ({', '.join(names)})" for port, names in ways.items()]
