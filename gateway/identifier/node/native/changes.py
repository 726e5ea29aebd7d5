"""What native requests make of an identifier. Pure.

The template that an identifier follows stands among its values, at index 1000.
"""

from collections.abc import Iterable

import msgspec

from gateway.identifier.irp.bodies import read_held, read_removal
from gateway.identifier.irp.codes import Op, Rc
from gateway.identifier.irp.values import Value
from gateway.identifier.native.records import TEMPLATE, TEMPLATE_INDEX
from gateway.identifier.node.native.answering import RefusedError
from gateway.identifier.node.registration import Registration


def created(body: bytes, now_s: int) -> Registration:
    """The identifier of a request to create one.

    Raises:
        WireError: the body is none.
        RefusedError: two values of one index.
    """
    held = read_held(body)
    return _registration(held.handle, _added({}, held.values, now_s, overwrites=False))


def changed(
    op: int, body: bytes, before: Registration, now_s: int, *, overwrites: bool
) -> Registration:
    """An identifier after a request to add, modify or remove values.

    Args:
        op: ADD_VALUE, MODIFY_VALUE or REMOVE_VALUE.
        body: of the request.
        before: as it is.
        now_s: seconds since 1970.
        overwrites: a value that is added takes the place of one that is there.

    Raises:
        WireError: the body is none.
        RefusedError: values that are to be modified or removed are not there, or those to be added
            are.
    """
    values = {one.index: one for one in before.held.values}
    if op == Op.REMOVE_VALUE:
        return _registration(before.handle, _removed(values, read_removal(body).indexes))
    given = read_held(body).values
    if op == Op.MODIFY_VALUE:
        _demand(values, (one.index for one in given))
        overwrites = True
    return _registration(before.handle, _added(values, given, now_s, overwrites=overwrites))


def _registration(handle: str, values: dict[int, Value]) -> Registration:
    template = values.pop(TEMPLATE_INDEX, None)
    if template is not None and template.type != TEMPLATE:
        raise RefusedError(Rc.INVALID_VALUE, f"value {TEMPLATE_INDEX} is for {TEMPLATE}")
    try:
        version = template.data.decode() if template is not None else ""
    except UnicodeDecodeError:
        raise RefusedError(Rc.INVALID_VALUE, f"a {TEMPLATE} that is no text") from None
    return Registration(handle, version, tuple(values[index] for index in sorted(values)))


def _added(
    values: dict[int, Value], given: Iterable[Value], now_s: int, *, overwrites: bool
) -> dict[int, Value]:
    given = tuple(given)
    new = {one.index: msgspec.structs.replace(one, timestamp_s=now_s) for one in given}
    if len(new) != len(given):
        raise RefusedError(Rc.INVALID_VALUE, "two values of one index")
    there = sorted(new.keys() & values.keys())
    if there and not overwrites:
        raise RefusedError(Rc.VALUE_EXISTS, f"there are values of index {_listed(there)}")
    return values | new


def _removed(values: dict[int, Value], indexes: tuple[int, ...]) -> dict[int, Value]:
    _demand(values, indexes)
    return {index: one for index, one in values.items() if index not in indexes}


def _demand(values: dict[int, Value], indexes: Iterable[int]) -> None:
    missing = sorted(set(indexes) - values.keys())
    if missing:
        raise RefusedError(Rc.VALUES_NOT_FOUND, f"there is no value of index {_listed(missing)}")


def _listed(indexes: list[int]) -> str:
    return ", ".join(map(str, indexes[:10]))
