"""Templates as the SNMS interface carries them. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.identifier.template import INDUSTRY, NAME, Item


def lacking(held: Mapping[str, Any], items: Sequence[Item]) -> list[Item]:
    """The items that a template at the node has not; index and type make an item.

    One that is there but disabled counts as there: that was a person's decision.
    """
    own = held.get("items")
    there = {
        (one.get("idIndex"), one.get("idType"))
        for one in (own if isinstance(own, list) else [])
        if isinstance(one, dict)
    }
    return [item for item in items if (item.index, item.type) not in there]


PASSIVE, ACTIVE = 2, 1
"""Types of templates: of objects with labels, and of those with active identifier carriers."""


def template_body(
    prefix: str, version: str, items: Sequence[Item], kind: int = PASSIVE
) -> dict[str, Any]:
    """The JSON of a template of one kind, PASSIVE or ACTIVE."""
    return {
        "prefix": prefix,
        "version": version,
        "description": NAME,
        **INDUSTRY,
        "type": kind,
        "items": [_item(item) for item in items],
    }


def _item(item: Item) -> dict[str, Any]:
    return {
        "name": item.name,
        "idType": item.type,
        "idIndex": item.index,
        "required": item.required,
        "state": 1,
        "metadata": {"type": "string", "minLength": item.minimum, "maxLength": item.maximum},
    }
