"""Templates of an IDHub node: meta objects, which count once they are published."""

from collections.abc import Mapping, Sequence
from typing import Any

from edge_config.models.identifiers.registries import IdhubNode
from gateway.identifier.registering.asking import Asker, Told
from gateway.identifier.registering.registry import Outcome
from gateway.identifier.template import INDUSTRY, NAME, Item

_TEXT = 1
"""``dataType`` of a text."""
_PUBLISHED = 1


def meta_handle(node: IdhubNode, prefix: str, version: str) -> str:
    """Handle of a template."""
    return node.meta.format(prefix=prefix, version=version)


def version_of(node: IdhubNode, handle: str) -> str:
    """Version of a template by its handle; a foreign one's is its whole handle."""
    before, _, after = node.meta.format(prefix="", version="\0").partition("\0")
    name = f"/{handle.partition('/')[2]}"
    if len(name) > len(before + after) and name.startswith(before) and name.endswith(after):
        return name[len(before) : len(name) - len(after)]
    return handle


async def ensured(
    asker: Asker, node: IdhubNode, prefix: str, version: str, items: Sequence[Item]
) -> Told:
    """Have a published template hold these items.

    Args:
        asker: the node.
        node: its configuration.
        prefix: of the enterprise.
        version: of the template.
        items: all that it must hold; others that it holds stay.
    """
    meta, path = meta_handle(node, prefix, version), node.paths.meta
    told = await asker.ask("GET", f"{path}/info", params={"metaHandle": meta})
    if told.outcome is Outcome.NOT_FOUND:
        told = await asker.ask("POST", f"{path}/create", json=_created(node, meta, version, items))
        if told.outcome in (Outcome.OK, Outcome.EXISTS):
            told = await _published(asker, path, meta)
        return told
    if told.outcome is not Outcome.OK:
        return told
    return await _completed(asker, path, meta, told.body.get("data"), items)


async def _completed(
    asker: Asker, path: str, meta: str, data: object, items: Sequence[Item]
) -> Told:
    held = data.get("itemVOS") if isinstance(data, Mapping) else None
    if not isinstance(data, Mapping) or not isinstance(held, list):
        return Told(Outcome.UNKNOWN, f"{meta}: the node's answer is no template")
    known = {one["englishName"]: one for one in held if _is_item(one)}
    lacking = [one for one in items if one.type not in known]
    if not lacking:
        is_published = data.get("metaState") == _PUBLISHED
        return Told(Outcome.OK) if is_published else await _published(asker, path, meta)
    # Whether what is not sent would stay is not written; so all of them are sent.
    sent = [_kept(one) for one in known.values()] + [_item(one) for one in lacking]
    told = await asker.ask(
        "PUT", f"{path}/update-item", json={"metaHandle": meta, "metaItemDTOS": sent}
    )
    return await _published(asker, path, meta) if told.outcome is Outcome.OK else told


async def _published(asker: Asker, path: str, meta: str) -> Told:
    body = {"metaHandleList": [meta], "opType": "publish"}
    told = await asker.ask("PUT", f"{path}/publish-or-withdraw", json=body)
    if told.outcome is not Outcome.OK:
        return told
    states = told.body.get("data")
    for one in states if isinstance(states, list) else []:
        if isinstance(one, Mapping) and one.get("state") == "failed":
            return Told(Outcome.DENIED, f"publishing {meta}: {str(one.get('reason'))[:500]}")
    return told


def _created(node: IdhubNode, meta: str, version: str, items: Sequence[Item]) -> dict[str, Any]:
    return {
        "classifyCode": node.classify_code,
        "metaHandle": meta,
        "metaName": NAME,
        "metaCode": version,
        "standard": "",
        "metaDesc": "",
        **INDUSTRY,
        "metaItemCreateDTOS": [_item(one) for one in items],
    }


def _item(item: Item) -> dict[str, Any]:
    """An item; the node gives it its number, names are what it is known by."""
    return {
        "itemCode": item.type,
        "englishName": item.type,
        "chineseName": item.name,
        "itemState": 0,
        "required": int(item.required),
        "uniqueField": 0,
        "inputNecessary": 1,
        "listItemNecessary": 0,
        "itemSchemaCreateDTO": {
            "dataType": _TEXT,
            "minLength": item.minimum,
            "maxLength": item.maximum,
        },
    }


def _kept(held: Mapping[str, Any]) -> dict[str, Any]:
    """An item of the node's, as it takes it."""
    kept = {name: value for name, value in held.items() if name != "itemSchemaVO"}
    return kept | {"itemSchemaCreateDTO": held.get("itemSchemaVO", {"dataType": _TEXT})}


def _is_item(one: object) -> bool:
    return isinstance(one, Mapping) and isinstance(one.get("englishName"), str)
