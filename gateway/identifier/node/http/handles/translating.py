"""Requests of the JSON interface as messages of the native protocol, and their answers. Pure.

Both interfaces ask for the same things in the same words, so one place carries them out.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

from gateway.identifier.irp.bodies import (
    Held,
    Question,
    Removal,
    write_handle,
    write_held,
    write_question,
    write_removal,
)
from gateway.identifier.irp.codes import Flag, Op, Rc
from gateway.identifier.irp.json_form import read_json, write_json
from gateway.identifier.irp.message import Message
from gateway.identifier.irp.octets import WireError
from gateway.identifier.irp.values import Value
from gateway.identifier.node import rules
from gateway.identifier.node.native.answering import RefusedError

Json = dict[str, Any]
_VARIOUS = "various"
_STATUSES = {
    Rc.OK: 200,
    Rc.ERROR: 500,
    Rc.BUSY: 503,
    Rc.HANDLE_NOT_FOUND: 404,
    Rc.HANDLE_EXISTS: 409,
    Rc.VALUE_EXISTS: 409,
    Rc.CHALLENGE: 401,
    **dict.fromkeys(
        (
            Rc.INVALID_ADMIN,
            Rc.NOT_PERMITTED,
            Rc.AUTHENTICATION_FAILED,
            Rc.INVALID_CREDENTIAL,
            Rc.AUTHENTICATION_ERROR,
            Rc.PREFIX_LIMIT,
        ),
        403,
    ),
}


class Query(Protocol):
    """Parameters of a request; one may stand there several times."""

    def get(self, name: str, default: str, /) -> str:
        """The last of a name."""
        ...

    def getlist(self, name: str, /) -> list[str]:
        """All of a name."""
        ...


def status_of(rc: Rc, method: str) -> int:
    """HTTP status of an answer; that a handle has no such value is a good answer to a question."""
    if rc is Rc.VALUES_NOT_FOUND and method in ("GET", "HEAD"):
        return 200
    return _STATUSES.get(rc, 400)


def handle_in(raw_path: bytes, root: str) -> str:
    """The handle in a path as it came.

    Raises:
        RefusedError: it is no UTF-8.
    """
    try:
        path = unquote_to_bytes(raw_path.partition(b"?")[0]).decode()
    except UnicodeDecodeError:
        raise RefusedError(Rc.INVALID_HANDLE, "a handle that is no UTF-8") from None
    return path[len(root) :]


def asked_for(method: str, handle: str, query: Query, body: Any) -> Message:
    """What a request asks for, natively.

    Raises:
        RefusedError: nothing that could be done.
    """
    if method != "DELETE" and is_on("mintNewSuffix", query):
        handle = _minted(handle)
    if rules.handle_problem(handle) is not None:
        raise RefusedError(Rc.INVALID_HANDLE, f"{handle!r} is no handle")
    if method == "GET":
        return _question(handle, query)
    if method == "DELETE":
        return _deletion(handle, query)
    return _creation(handle, query, body, overwrites=method == "PUT")


def is_on(name: str, query: Query, *, default: bool = False) -> bool:
    """Whether a parameter says yes; there without a value it does."""
    if not query.getlist(name):
        return default
    return query.get(name, "").lower() in ("", "true", "yes", "y", "1")


def _minted(handle: str) -> str:
    """A handle with a suffix that is nobody's; what is given of one stays in front."""
    begun = handle if "/" in handle else f"{handle}/"
    return f"{begun}{str(uuid.uuid4()).upper()}"


def _question(handle: str, query: Query) -> Message:
    types = tuple(query.getlist("type"))
    question = Question(handle, _indexes(query), types)
    return Message(Op.RESOLVE, 0, write_question(question))


def _deletion(handle: str, query: Query) -> Message:
    indexes = _indexes(query)
    if not indexes:
        return Message(Op.DELETE, 0, write_handle(handle))
    return Message(Op.REMOVE_VALUE, 0, write_removal(Removal(handle, indexes)))


def _creation(handle: str, query: Query, body: Any, *, overwrites: bool) -> Message:
    values = _values(body)
    flags = Flag.OVERWRITE if is_on("overwrite", query, default=overwrites) else 0
    held = write_held(Held(handle, values))
    if not query.getlist("index"):
        return Message(Op.CREATE, 0, held, flags=int(flags))
    if query.getlist("index") != [_VARIOUS]:
        named, given = set(_indexes(query)), {one.index for one in values}
        if named != given:
            why = f"the query names the indexes {sorted(named)}, the body has {sorted(given)}"
            raise RefusedError(Rc.INVALID_VALUE, why)
    return Message(Op.ADD_VALUE, 0, held, flags=int(flags))


def _indexes(query: Query) -> tuple[int, ...]:
    written = query.getlist("index")
    if len(written) > rules.MAX_VALUES:
        raise RefusedError(Rc.INVALID_VALUE, f"more than {rules.MAX_VALUES} indexes")
    if not all(_is_index(one) for one in written):
        raise RefusedError(Rc.INVALID_VALUE, "an index is a number of 1 to 2147483647")
    return tuple(map(int, written))


def _is_index(written: str) -> bool:
    digits = written.isascii() and written.isdecimal() and len(written) <= 10  # noqa: PLR2004 - of the most
    return digits and 1 <= int(written) <= rules.MAX_INDEX


def _values(body: Any) -> tuple[Value, ...]:
    """Values of a body: a list, an object with one, or one value."""
    listed = body
    if isinstance(body, Mapping):
        listed = body.get("values", [body])
    if not isinstance(listed, list) or not listed or len(listed) > rules.MAX_VALUES:
        raise RefusedError(Rc.INVALID_VALUE, f"1 to {rules.MAX_VALUES} values are expected")
    try:
        return tuple(read_json(one) for one in listed)
    except WireError as error:
        raise RefusedError(Rc.INVALID_VALUE, str(error)) from None


def told(handle: str, values: Sequence[Value]) -> Json:
    """A handle with its values, as answered."""
    return {
        "responseCode": int(Rc.OK),
        "handle": handle,
        "values": [write_json(one) for one in values],
    }


def page_of(query: Query, most: int) -> tuple[int, int]:
    """Number of a page, from 0, and how many handles are on one.

    Raises:
        RefusedError: no numbers.
    """
    page, size = query.get("page", "0"), query.get("pageSize", str(most))
    if size == "-1":  # all of them
        size = str(most)
    if not all(one.isascii() and one.isdecimal() and len(one) <= 7 for one in (page, size)):  # noqa: PLR2004 - digits
        raise RefusedError(Rc.PROTOCOL_ERROR, "page and pageSize are whole numbers")
    return int(page), min(int(size), most)
