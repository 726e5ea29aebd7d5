"""Node ids that survive a restart of the server: written with the namespace's URI. Pure.

The text form is that of OPC UA Part 6, 5.1.12 (``nsu=<uri>;<type>=<identifier>``). A namespace
index is valid in one session only, so ``ns=3;…`` is refused; the standard's own namespace is
index 0 for ever and needs no URI.
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
MAX_TEXT = 4_096
"""Longest string identifier (Part 3, 8.2.4)."""


@dataclass(frozen=True, slots=True)
class NodeName:
    """A node id with its namespace by URI.

    Attributes:
        uri: namespace URI; empty for the standard's own namespace (index 0).
        identifier: number, string, GUID or opaque bytes.
    """

    uri: str
    identifier: Identifier

    @property
    def form(self) -> Form:
        """The letter before the identifier."""
        return _FORMS[type(self.identifier)]


_FORMS: dict[type, Form] = {int: "i", str: "s", UUID: "g", bytes: "b"}


def parse_node(text: str) -> NodeName:
    """Read ``nsu=http://acme/press;s=Press.Speed`` or, in namespace 0, ``i=2258``.

    Raises:
        ValueError: the text is no node id, or names its namespace by index.
    """
    uri, rest = _split_namespace(text)
    form, separator, body = rest.partition("=")
    if not separator or form not in ("i", "s", "g", "b"):
        raise ValueError(
            f"{text!r} is no node id; write nsu=<namespace URI>;s=<name> "
            "(or i=<number>, g=<GUID>, b=<base64>)"
        )
    return NodeName(uri, _identifier(form, body, text))


def _split_namespace(text: str) -> tuple[str, str]:
    head, separator, rest = text.partition(";")
    if head.startswith("ns="):
        if head != "ns=0" or not separator:
            raise ValueError(
                f"{text!r} names its namespace by index, which moves when the server restarts; "
                f"write nsu=<namespace URI>;{rest or 's=…'} (the server's NamespaceArray, "
                "i=2255, lists the URIs)"
            )
        return "", rest
    if not head.startswith("nsu="):
        return "", text
    uri = head.removeprefix("nsu=").replace("%3B", ";").replace("%3b", ";").replace("%25", "%")
    if not separator or not uri:
        raise ValueError(f"{text!r}: a namespace URI and ';' must follow 'nsu='")
    return ("" if uri == STANDARD_URI else uri), rest


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
    if not (body.isascii() and body.isdigit()) or int(body) > MAX_NUMERIC:
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
    if not node.uri:
        return tail
    return f"nsu={node.uri.replace('%', '%25').replace(';', '%3B')};{tail}"


def namespace_index(node: NodeName, namespaces: Sequence[str]) -> int | None:
    """Index of a node's namespace in the current session, or None if the server does not have it.

    Args:
        node: the node.
        namespaces: the server's NamespaceArray as read in the current session.
    """
    if not node.uri:
        return 0
    try:
        return namespaces.index(node.uri)
    except ValueError:
        return None
