"""Identifiers as the SNMS interface writes them. Pure."""

from typing import Any

from gateway.identifier.irp.values import Value
from gateway.identifier.node.registration import Registration
from gateway.identifier.template import FIRST_INDEX

Json = dict[str, Any]
_MARKER = 1000
"""Index of the value that names the template, in answers."""


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


def _item(index: int, kind: str, text: str) -> Json:
    data = {"format": "string", "value": text}
    return {"index": index, "type": kind, "data": data, "auth": ""}
