"""Requests of who has proved himself, done by the rules of the node; functions of a connection."""

from collections.abc import Sequence

from sqlalchemy import Connection

from gateway.identifier.irp.bodies import (
    Held,
    read_handle,
    read_held,
    read_question,
    read_removal,
    write_held,
    write_list,
)
from gateway.identifier.irp.codes import Flag, Op, Rc
from gateway.identifier.irp.message import Message
from gateway.identifier.native.records import withdrawal_of
from gateway.identifier.node import rules
from gateway.identifier.node.keeping import prefixes
from gateway.identifier.node.native import changes
from gateway.identifier.node.native.answering import RefusedError, withdrawn
from gateway.identifier.node.native.referring import prefix_asked
from gateway.identifier.node.registration import Registration
from gateway.identifier.node.rights import registrations
from gateway.identifier.node.rights.principal import Visit
from gateway.identifier.registering.registry import Outcome, Result

_WITHOUT_REASON = "deleted natively by its administrator"
LISTED = 250
"""Identifiers of one message: of the longest ones, no more than that fit into it."""
_CODES = {
    Outcome.EXISTS: Rc.HANDLE_EXISTS,
    Outcome.NOT_FOUND: Rc.HANDLE_NOT_FOUND,
    Outcome.INVALID: Rc.INVALID_VALUE,
    Outcome.DENIED: Rc.NOT_PERMITTED,
    Outcome.QUOTA: Rc.DAILY_LIMIT,  # the next day helps; with REGISTRATION_LIMIT only a person
}


def subject_of(asked: Message) -> str:
    """The handle, or prefix, that a request for a change is about.

    Raises:
        WireError: its body is none.
        RefusedError: it is a request that the node does not know, or no prefix is listed by it.
    """
    if asked.op in (Op.CREATE, Op.ADD_VALUE, Op.MODIFY_VALUE):
        return read_held(asked.body).handle
    if asked.op == Op.REMOVE_VALUE:
        return read_removal(asked.body).handle
    if asked.op == Op.DELETE:
        return read_handle(asked.body)
    if asked.op == Op.RESOLVE:
        return read_question(asked.body).handle
    if asked.op == Op.LIST_HANDLES:
        return _prefix_of(read_handle(asked.body))
    raise RefusedError(Rc.UNSUPPORTED, "this is not done here")


def _prefix_of(handle: str) -> str:
    prefix = prefix_asked(handle)
    if not prefix:
        raise RefusedError(Rc.INVALID_HANDLE, f"{handle} is no prefix; write 0.NA/88.999.QZ01")
    return prefix


def done(connection: Connection, visit: Visit, asked: Message) -> bytes:
    """Do what is asked; the body of the answer.

    Args:
        connection: of the node's database, in a transaction.
        visit: who asks.
        asked: the request that was proved.

    Raises:
        WireError: its body is none.
        RefusedError: it is not done.
    """
    if asked.op == Op.RESOLVE:
        return _read(connection, visit, asked)
    if asked.op == Op.CREATE:
        return _create(connection, visit, asked)
    if asked.op == Op.DELETE:
        handle = read_handle(asked.body)
        return _withdrawn(connection, visit, handle, _WITHOUT_REASON)
    return _change(connection, visit, asked)


def _read(connection: Connection, visit: Visit, asked: Message) -> bytes:
    question = read_question(asked.body)
    held = _seen(connection, visit, question.handle)
    values = tuple(one for one in held.values if question.wants(one))
    if not values:
        raise RefusedError(Rc.VALUES_NOT_FOUND, f"{held.handle} has no such value")
    return write_held(Held(held.handle, values))


def _seen(connection: Connection, visit: Visit, handle: str) -> Held:
    """What the principal may see of an identifier; of a withdrawn one why, and by whom."""
    gone = registrations.withdrawal(connection, visit, handle)
    if gone is None:
        return _found(connection, visit, handle).held
    if not (gone.why or gone.by):
        raise RefusedError(Rc.HANDLE_NOT_FOUND, withdrawn(handle))
    return gone.held


def _found(connection: Connection, visit: Visit, handle: str) -> Registration:
    found = registrations.read(connection, visit, handle)
    if found is None:
        raise RefusedError(Rc.HANDLE_NOT_FOUND, f"there is no {handle}")
    return found


def _create(connection: Connection, visit: Visit, asked: Message) -> bytes:
    if asked.flags & Flag.MINT_SUFFIX:
        raise RefusedError(Rc.UNSUPPORTED, "suffixes are made by who registers")
    new = changes.created(asked.body, visit.now_ms // 1000)
    results = registrations.create(connection, visit, [new])
    if results[0].outcome is Outcome.EXISTS and asked.flags & Flag.OVERWRITE:
        return _replaced(connection, visit, new)
    return _told(connection, results)


def _replaced(connection: Connection, visit: Visit, new: Registration) -> bytes:
    """An identifier has other values now; one that says why it is withdrawn, is."""
    why = withdrawal_of(new.held)
    if why is not None:
        return _withdrawn(connection, visit, new.handle, why)
    return _told(connection, registrations.update(connection, visit, [new]))


def _withdrawn(connection: Connection, visit: Visit, handle: str, why: str) -> bytes:
    return _told(connection, registrations.withdraw(connection, visit, [(handle, why)]))


def _change(connection: Connection, visit: Visit, asked: Message) -> bytes:
    registrations.begin_changes(connection)
    before = _found(connection, visit, subject_of(asked))
    overwrites = bool(asked.flags & Flag.OVERWRITE)
    now_s = visit.now_ms // 1000
    after = changes.changed(asked.op, asked.body, before, now_s, overwrites=overwrites)
    return _replaced(connection, visit, after)


def listed(connection: Connection, visit: Visit, asked: Message, after: str) -> tuple[bytes, str]:
    """Some identifiers of a prefix: the body that tells them, and behind which one more follow.

    Args:
        connection: of the node's database, which is only read.
        visit: who asks.
        asked: the request that was proved.
        after: an identifier; it and those before it are left out.

    Returns:
        The second is empty where these are the last ones.

    Raises:
        WireError: the body of the request is none.
        RefusedError: the prefix is not the principal's.
    """
    found = registrations.listed(connection, visit, subject_of(asked), LISTED + 1, after=after)
    if isinstance(found, Result):
        raise RefusedError(Rc.NOT_PERMITTED, found.message)
    handles = tuple(found[:LISTED])
    return write_list(handles), handles[-1] if len(found) > LISTED else ""


def _told(connection: Connection, results: Sequence[Result]) -> bytes:
    """The body of an answer to a change that was made.

    What this user may not do is NOT_PERMITTED; where nobody may before the node's operator does
    something, the prefix being suspended or nobody's, it is PREFIX_LIMIT.

    Raises:
        RefusedError: it was not made.
    """
    result = results[0]
    if result.outcome is Outcome.OK:
        return b""
    code, prefix = _CODES.get(result.outcome, Rc.ERROR), result.handle.partition("/")[0]
    if code is Rc.INVALID_VALUE and rules.handle_problem(result.handle) is not None:
        code = Rc.INVALID_HANDLE
    if code is Rc.NOT_PERMITTED and not prefixes.is_usable(connection, prefix):
        code = Rc.PREFIX_LIMIT
    raise RefusedError(code, result.message)
