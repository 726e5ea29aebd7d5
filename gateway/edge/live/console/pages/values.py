"""Values of tags as a technician looks at them: with their bytes, and what is odd about them."""

from collections.abc import Iterable
from typing import NamedTuple

from edge_config.loading.resolved import ResolvedTag
from gateway.core.status import Reason
from gateway.core.values.plausible import Doubt, doubt
from gateway.edge.device.model import DeviceModel
from gateway.edge.live.naming import all_called
from gateway.edge.live.records import TagLive, TagValue

MOST_COMPARED = 20
"""Tags of one page that are shown in all byte orders without being asked."""

_MAY_BE_ORDER = frozenset({Reason.RANGE, Reason.NO_VALUE})
"""Reasons of BAD values that a wrong byte order has as well."""


class Reading(NamedTuple):
    """The bytes of a value in one byte order.

    Attributes:
        order: its name.
        value: scaled as the tag is; None: no number.
        doubt: id of what is odd about the number; empty: nothing.
    """

    order: str
    value: TagValue
    doubt: str


class Shown(NamedTuple):
    """One tag of a page.

    Attributes:
        tag: its newest value.
        address: where the driver finds it; empty: it is not known here.
        held: bytes as they went over the wire, in hexadecimal digits; empty: not known.
        doubt: id of what is odd about the value; empty: nothing.
        orders: the same bytes in each byte order, the configured one first; empty: nothing is odd
            about the value, or it has no order.
    """

    tag: TagLive
    address: str = ""
    held: str = ""
    doubt: str = ""
    orders: tuple[Reading, ...] = ()


def shown(tags: Iterable[TagLive], model: DeviceModel | None) -> list[Shown]:
    """Tags of a device for its page; odd ones in all byte orders, as many as are looked at.

    Args:
        tags: newest values.
        model: the device; None: only what was read is shown.
    """
    if model is None:
        return [Shown(tag, doubt=_odd_alone(tag.value)) for tag in tags]
    configured, rows, compared = dict(all_called(model.resolved)), [], 0
    for tag in tags:
        found = configured.get(tag.name)
        if found is None:
            rows.append(Shown(tag, doubt=_odd_alone(tag.value)))
            continue
        row = shown_one(tag, found, model, is_compared=compared < MOST_COMPARED)
        compared += bool(row.orders)
        rows.append(row)
    return rows


def shown_one(
    tag: TagLive, configured: ResolvedTag, model: DeviceModel, *, is_compared: bool
) -> Shown:
    """One tag.

    Args:
        tag: its newest value.
        configured: what was written of it.
        model: its device.
        is_compared: whether it is shown in all byte orders if it is odd.
    """
    address = model.spec.noted(configured.address, None)
    held = _held(tag, configured, model)
    if held is None:
        return Shown(tag, address, doubt=_odd_alone(tag.value))
    strange = odd(tag.raw)
    is_compared &= bool(strange) or tag.reason in _MAY_BE_ORDER
    orders = in_orders(held, configured, model) if is_compared else ()
    return Shown(tag, address, held.hex(" "), strange, orders)


def in_orders(held: bytes, configured: ResolvedTag, model: DeviceModel) -> tuple[Reading, ...]:
    """The bytes of a tag in each byte order; nothing where one order is no choice."""
    assert model.spec.search is not None  # noqa: S101 - it told the bytes
    found = model.spec.search.in_orders(model.resolved.connection, configured.address, held)
    if len(found) == 1:
        return ()
    return tuple(Reading(o, _scaled(value, configured), odd(value)) for o, value in found)


def _held(tag: TagLive, configured: ResolvedTag, model: DeviceModel) -> bytes | None:
    if tag.raw is None or model.spec.search is None:
        return None
    return model.spec.search.held(model.resolved.connection, configured.address, tag.raw)


def odd(value: TagValue) -> str:
    """Id of what is odd about what registers held; its words stand under ``doubt.<id>``."""
    found = None if value is None else doubt(value)
    return "" if found is None else str(found)


def _odd_alone(value: TagValue) -> str:
    """The same of a value that did not come out of registers, so that it has no words."""
    found = odd(value)
    return "" if found == Doubt.EMPTY_LOW_WORD else found


def _scaled(value: TagValue, configured: ResolvedTag) -> TagValue:
    config = configured.config
    if (
        value is None
        or isinstance(value, bool | str)
        or (config.scale is None and not config.offset)
    ):
        return value
    return value * (1.0 if config.scale is None else config.scale) + config.offset
