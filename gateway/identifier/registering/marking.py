"""The mark on a record whose identifier was given by mistake. Pure."""

from dataclasses import replace

from gateway.identifier.record import Record, Value
from gateway.identifier.template import ITEMS_BY_TYPE, WITHDRAWAL_REASON

WITHDRAWN = "误录撤销"
"""What the status of such a machine is called at the node and in the ledger."""
MAX_REASON = 300
"""Characters of a reason beside a deletion."""
_STATUS, _REASON = ITEMS_BY_TYPE["runStatus"], WITHDRAWAL_REASON


def one_line(reason: str, longest: int) -> str:
    """A reason as nodes keep it: cells of sheets have line ends, and control characters."""
    spaced = "".join(one if one.isprintable() else " " for one in reason)
    return " ".join(spaced.split())[:longest]


def marked(record: Record, reason: str) -> Record:
    """A record that says that its identifier was withdrawn, and why; the rest stays.

    Args:
        record: as it was registered.
        reason: in words; cut to what the template's item holds.
    """
    own = {item.index for item in (_STATUS, _REASON)}
    values = [one for one in record.values if one.index not in own]
    values.append(Value(_STATUS.index, _STATUS.type, WITHDRAWN))
    if text := one_line(reason, _REASON.maximum):
        values.append(Value(_REASON.index, _REASON.type, text))
    return replace(record, values=tuple(sorted(values, key=lambda one: one.index)))


def is_marked(record: Record) -> bool:
    """Whether a record says so."""
    return any(one.type == _STATUS.type and one.text == WITHDRAWN for one in record.values)
