"""Node ids that survive a restart of the server: written with the namespace's URI. Pure.

The text form is that of OPC UA Part 6, 5.1.12 (``nsu=<uri>;<type>=<identifier>``). A namespace
index (``ns=3;…``, as browsers of OPC UA show it) is valid in one session only, so it is the second
choice: for servers whose list of namespaces lacks the one that is wanted. The standard's own
namespace is index 0 for ever and needs no URI.
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Identifier = int | str | UUID | bytes
Form = Literal["i", "s", "g", "b"]

MAX_NUMERIC = 0xFFFF_FFFF
MAX_INDEX = 0xFFFF
MAX_TEXT = 4_096
"""Longest string identifier (Part 3, 8.2.4)."""


@dataclass(frozen=True, slots=True)
class NodeName:
    """A node id with its namespace by URI.

    Attributes:
        uri: namespace URI; empty for the standard's own namespace (index 0), or with ``index``.
        identifier: number, string, GUID or opaque bytes.
        index: namespace index, where no URI is written.
    """

    uri: str
    identifier: Identifier
    index: int | None = None

    @property
    def form(self) -> Form:
        """The letter before the identifier."""
        return _FORMS[type(self.identifier)]


_FORMS: dict[type, Form] = {int: "i", str: "s", UUID: "g", bytes: "b"}


def parse_node(text: str) -> NodeName:
    """Read ``nsu=http://acme/press;s=Press.Speed``, ``ns=3;s=…`` or, in namespace 0, ``i=2258``.

    Raises:
        ValueError: the text is no node id.
    """
    uri, index, rest = _split_namespace(text.removeprefix("svr=0;"))
    form, separator, body = rest.partition("=")
    if not separator or form not in ("i", "s", "g", "b"):
        raise ValueError(
            f"{text!r} is no node id; write nsu=<namespace URI>;s=<name> "
            "(or i=<number>, g=<GUID>, b=<base64>)"
        )
    return NodeName(uri, _identifier(form, body, text), index)


def _split_namespace(text: str) -> tuple[str, int | None, str]:
    """URI, index and what follows them; a URI wins over an index."""
    head, separator, rest = text.partition(";")
    if head.startswith("ns="):
        index = head.removeprefix("ns=")
        if not separator or not _is_number(index, MAX_INDEX):
            raise ValueError(f"{text!r}: a number up to {MAX_INDEX} and ';' must follow 'ns='")
        return "", int(index) or None, rest
    if not head.startswith("nsu="):
        return "", None, text
    uri = head.removeprefix("nsu=").replace("%3B", ";").replace("%3b", ";").replace("%25", "%")
    if not separator or not uri:
        raise ValueError(f"{text!r}: a namespace URI and ';' must follow 'nsu='")
    return ("" if uri == STANDARD_URI else uri), None, rest


def _is_number(text: str, largest: int) -> bool:
    return text.isascii() and text.isdigit() and int(text) <= largest


STANDARD_URI = "http://opcfoundation.org/UA/"
"""URI of namespace 0."""


def _identifier(form: str, body: str, text: str) -> Identifier:
    if form == "i":
        return _number(body, text)
    if form == "g":
        return _guid(body, text)
    if form == "b":
        return _opaque(body, text)
    if not 0 < len(body) <= MAX_TEXT:
        raise ValueError(f"{text!r}: a string identifier has 1 to {MAX_TEXT} characters")
    return body


def _number(body: str, text: str) -> int:
    if not _is_number(body, MAX_NUMERIC):
        raise ValueError(f"{text!r}: 'i=' needs a whole number from 0 to {MAX_NUMERIC}")
    return int(body)


def _guid(body: str, text: str) -> UUID:
    try:
        return UUID(body)
    except ValueError as error:
        raise ValueError(f"{text!r}: 'g=' needs a GUID like {UUID(int=0)}") from error


def _opaque(body: str, text: str) -> bytes:
    try:
        return b64decode(body, validate=True)
    except Base64Error as error:
        raise ValueError(f"{text!r}: 'b=' needs base64: {error}") from error


def format_node(node: NodeName) -> str:
    """The canonical text; the inverse of :func:`parse_node`."""
    body = node.identifier
    shown = b64encode(body).decode() if isinstance(body, bytes) else str(body)
    tail = f"{node.form}={shown}"
    if node.index is not None:
        return f"ns={node.index};{tail}"
    if not node.uri:
        return tail
    return f"nsu={node.uri.replace('%', '%25').replace(';', '%3B')};{tail}"


def namespace_indexes(node: NodeName, namespaces: Sequence[str]) -> tuple[int, ...]:
    """Indexes that a node's namespace may have in the current session; none if it is not there.

    Servers are seen to list a URI twice, and with blanks around it; one that is written exactly so
    goes before others. An index is taken as it is written, also beyond the list.

    Args:
        node: the node.
        namespaces: the server's NamespaceArray as read in the current session.
    """
    if node.index is not None:
        return (node.index,)
    if not node.uri:
        return (0,)
    exact = [at for at, uri in enumerate(namespaces) if uri == node.uri]
    bare = node.uri.strip()
    return tuple(exact or (at for at, uri in enumerate(namespaces) if uri.strip() == bare))
