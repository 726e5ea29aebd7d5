"""Identifiers as the SNMS interface writes them. Pure."""

from collections.abc import Iterable
from typing import Any

from gateway.identifier.irp.values import Value
from gateway.identifier.node.registration import Registration, Withdrawal
from gateway.identifier.template import FIRST_INDEX

Json = dict[str, Any]
_MARKER = 1000
"""Index of the value that names the template, in answers."""
REASON = "reason"
"""Why an identifier is deleted, beside its handle; not of the document."""
WITHDRAWN = "withdrawn"
"""Asks a listing for withdrawn identifiers, too, and marks them in it; not of the document."""
_MOST_OCTETS = 2**20
"""Of values of withdrawn identifiers in a page, about: clients bound what they read."""


def read_registration(body: Json, now_ms: int) -> Registration:
    """A registration that :func:`rules.record_problem` finds nothing wrong with."""
    values = (
        Value(one["index"], one["type"], one["data"]["value"].encode(), now_ms // 1000)
        for one in body["value"]
    )
    return Registration(body["handle"], body["templateVersion"], tuple(values))


def write_detail(held: Registration) -> Json:
    """An identifier as an answer has it: first which template, then items that are texts."""
    prefix = held.handle.partition("/")[0]
    marker = _item(_MARKER, "TEMPLATE_ID", f"{prefix}:{held.template_version}")
    items = [
        _item(one.index, one.type, one.data.decode(errors="replace"))
        for one in held.values
        if one.index >= FIRST_INDEX
    ]
    return {
        "code": "200",
        "prefix": prefix,
        "handle": held.handle,
        "templateVersion": held.template_version,
        "value": [marker, *items],
    }


def read_withdrawal(body: Any) -> tuple[Any, Any]:
    """Handle and reason of a deletion; of many, one may be the handle alone."""
    if isinstance(body, dict):
        reason = body.get(REASON)
        return body.get("handle", ""), "" if reason is None else reason
    return body, ""


def write_withdrawal(gone: Withdrawal) -> Json:
    """A withdrawn identifier, beside the message that it is not there."""
    told = {"handle": gone.handle, "withdrawnTime": gone.at_ms}
    return told | {"withdrawnBy": gone.by, REASON: gone.why} if gone.by or gone.why else told


def write_page(found: Iterable[str | Registration]) -> list[str | Json]:
    """Identifiers of a listing: living ones by name, withdrawn ones as they were.

    It ends early where that is much; the next page goes on behind it.
    """
    page, octets = list[str | Json](), 0
    for one in found:
        if isinstance(one, Registration):
            page.append(write_detail(one) | {WITHDRAWN: True})
            octets += sum(len(value.data) for value in one.values)
            if octets > _MOST_OCTETS:
                break
        else:
            page.append(one)
    return page


def _item(index: int, kind: str, text: str) -> Json:
    data = {"format": "string", "value": text}
    return {"index": index, "type": kind, "data": data, "auth": ""}
