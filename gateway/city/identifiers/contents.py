"""What the node is told of a machine, and whose a record at the node is. Pure."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row

from gateway.city.ledger.codes import STATUSES
from gateway.city.ledger.names import NOBODY, MachineName
from gateway.identifier.record import Record, Value
from gateway.identifier.registering.marking import is_marked
from gateway.identifier.template import TYPES, equipment_values

_PARTS = "/"
"""Between site, workshop and line of a location."""
_IN_A_PART = "\uff0f"
"""Stands for it in a site's own number, ``A/01``: the same number as it is compared (NFKC)."""


def texts_of(row: Row[Any], status: str) -> dict[str, str]:
    """A machine's values by ``idType``.

    Args:
        row: of ``equipment``.
        status: today's.
    """
    # Else A/01 would be read back as site A, and its machine's own record as another machine's.
    place = (row.site_no.replace(_PARTS, _IN_A_PART), row.workshop, row.line)
    return {
        "equipName": row.name,
        "equipModel": row.model,
        "manufacturer": row.maker,
        "serialNo": row.serial_no,
        "enterpriseUscc": row.uscc,
        "equipClass": row.category or row.equipment_class,
        "assetNo": row.asset_no,
        "installDate": row.commissioned_on.isoformat() if row.commissioned_on else "",
        "location": _PARTS.join(part for part in place if part),
        "accessProtocol": row.interfaces,
        "runStatus": STATUSES[status].zh if status in STATUSES else status,
    }


def record_of(handle: str, texts: Mapping[str, str], template_version: str) -> Record:
    """What the node must hold of a machine.

    Args:
        handle: its identifier.
        texts: of :func:`texts_of`.
        template_version: that the values follow.
    """
    values = equipment_values(texts)
    items = tuple(Value(index, TYPES[index], text) for index, text in values.items())
    return Record(handle, template_version, items)


def owner_of(record: Record) -> MachineName:
    """The machine that a record of :func:`texts_of` describes; what it does not say is empty."""
    texts = {value.type: value.text for value in record.values}
    site_no = texts.get("location", "").partition(_PARTS)[0]
    return MachineName(texts.get("enterpriseUscc", ""), site_no, texts.get("assetNo", ""))


def describes_nobody(record: Record) -> bool:
    """Whether a record says that its identifier was withdrawn, or says nothing of a machine."""
    return is_marked(record) or owner_of(record) == NOBODY
