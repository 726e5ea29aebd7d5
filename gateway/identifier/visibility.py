"""Who sees which item of an identifier: its template says so. Pure."""

import json
from enum import StrEnum
from functools import lru_cache

FIELD = "visibility"
"""What a template's item is asked for; the SNMS interface itself has no word for it."""


class Seen(StrEnum):
    """Who sees an item."""

    EVERYBODY = "everybody"
    MEMBER = "member"  # whoever is logged in
    ENTERPRISE = "enterprise"  # whose identifier it is


_WIDER = {
    Seen.EVERYBODY: frozenset({Seen.EVERYBODY}),
    Seen.MEMBER: frozenset({Seen.EVERYBODY, Seen.MEMBER}),
    Seen.ENTERPRISE: frozenset(Seen),
}


@lru_cache(maxsize=1_024)
def hidden(seen: str, to: Seen) -> frozenset[int]:
    """Indices of a template's items that are not shown.

    Args:
        seen: JSON, who sees each index; empty: there is no template.
        to: how near the one who asks is: EVERYBODY is the furthest.
    """
    told = json.loads(seen or "{}")
    return frozenset(int(at) for at, who in told.items() if who not in _WIDER[to])


_EVERYBODYS = (
    "equipName", "equipModel", "manufacturer", "serialNo", "enterpriseUscc", "equipClass",
    "assetNo", "productionDate", "runStatus", "dataUrl", "otherIds", "updateTime",
    "withdrawalReason",
)  # fmt: skip
_MEMBERS = ("installDate", "accessProtocol")
EQUIPMENT = dict.fromkeys(_EVERYBODYS, Seen.EVERYBODY) | dict.fromkeys(_MEMBERS, Seen.MEMBER)
"""Who sees items of the template of machines, by ``idType``; others (where a machine stands, how
it is reached) are its enterprise's."""
