"""What the node is told of a machine, and whose a record at the node is. Pure."""

from typing import Any

from sqlalchemy import Row

from gateway.city.ledger.codes import STATUSES
from gateway.city.ledger.names import MachineName
from gateway.identifier.record import Record

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


def owner_of(record: Record) -> MachineName:
    """The machine that a record of :func:`texts_of` describes; what it does not say is empty."""
    texts = {value.type: value.text for value in record.values}
    site_no = texts.get("location", "").partition(_PARTS)[0]
    return MachineName(texts.get("enterpriseUscc", ""), site_no, texts.get("assetNo", ""))
