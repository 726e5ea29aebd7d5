"""Records of identifiers as values of handles. Pure.

Beside the items of its template (index 2000 and up) a handle holds who administers it (100), which
template it follows (1000), and, once it is withdrawn, why (1002) instead of the items.
"""

from collections.abc import Iterable

from gateway.identifier.irp.bodies import Held
from gateway.identifier.irp.data import Admin, write_admin
from gateway.identifier.irp.values import HIDDEN, USUAL, Value
from gateway.identifier.record import Record
from gateway.identifier.record import Value as Item
from gateway.identifier.registering.marking import MAX_REASON, one_line
from gateway.identifier.template import FIRST_INDEX

ADMIN_INDEX, TEMPLATE_INDEX, WITHDRAWN_INDEX, WITHDRAWN_BY_INDEX = 100, 1000, 1002, 1003
ADMIN, TEMPLATE, WITHDRAWN = "HS_ADMIN", "TEMPLATE_ID", "WITHDRAWN"
WITHDRAWN_BY = "WITHDRAWN_BY"
"""Of a node of ours: who withdrew it."""


def admin_value(admin: Admin, now_s: int) -> Value:
    """Who may change a handle."""
    return Value(ADMIN_INDEX, ADMIN, write_admin(admin), now_s)


def values_of(record: Record, now_s: int, *, is_public: bool) -> tuple[Value, ...]:
    """What a handle holds of a record: its template and its items.

    Args:
        record: of an identifier.
        now_s: seconds since 1970.
        is_public: whether everybody may read the items.
    """
    permissions = USUAL if is_public else HIDDEN
    template = Value(TEMPLATE_INDEX, TEMPLATE, record.template_version.encode(), now_s)
    items = (
        Value(one.index, one.type, one.text.encode(), now_s, permissions=permissions)
        for one in record.values
    )
    return (template, *items)


def withdrawn_values(record: Record, reason: str, now_s: int) -> tuple[Value, ...]:
    """What stays of a record that was withdrawn: nothing of the machine."""
    template = Value(TEMPLATE_INDEX, TEMPLATE, record.template_version.encode(), now_s)
    why = one_line(reason, MAX_REASON)
    return (template, Value(WITHDRAWN_INDEX, WITHDRAWN, why.encode(), now_s))


def record_of(held: Held) -> Record:
    """The record that a handle holds; empty items are left out, as some servers add them."""
    texts = {one.index: Item(one.index, one.type, _text(one)) for one in held.values}
    template = texts.get(TEMPLATE_INDEX)
    items = [texts[index] for index in sorted(texts) if index >= FIRST_INDEX]
    return Record(
        held.handle,
        template.text if template else "",
        tuple(one for one in items if one.text),
    )


def withdrawal_of(held: Held) -> str | None:
    """Why a handle was withdrawn; None if it was not."""
    marks = (one for one in held.values if (one.index, one.type) == (WITHDRAWN_INDEX, WITHDRAWN))
    return next(map(_text, marks), None)


def gone_of(held: Held) -> str | None:
    """What to say of a handle that its node has taken back for ever; None: it lives.

    Only its enterprise is shown that much of it; for others it is not there.
    """
    if not any((one.index, one.type) == (WITHDRAWN_BY_INDEX, WITHDRAWN_BY) for one in held.values):
        return None
    return f"{held.handle} was withdrawn: {withdrawal_of(held)}"


def _text(value: Value) -> str:
    return value.data.decode(errors="replace")


Difference = tuple[tuple[Value, ...], tuple[Value, ...], tuple[int, ...]]


def difference(held: Iterable[Value], wanted: Iterable[Value]) -> Difference:
    """What makes held values the wanted ones: to add, to modify, to remove (by index).

    Values below the template's, as administrators and what people have added, stay as they are.
    """
    old = {one.index: one for one in held}
    new = {one.index: one for one in wanted}
    added = tuple(one for index, one in new.items() if index not in old)
    changed = tuple(
        one for index, one in new.items() if index in old and not _is_same(old[index], one)
    )
    gone = tuple(index for index in old if index >= TEMPLATE_INDEX and index not in new)
    return added, changed, gone


def _is_same(one: Value, other: Value) -> bool:
    return (one.type, one.data, one.permissions) == (other.type, other.data, other.permissions)
