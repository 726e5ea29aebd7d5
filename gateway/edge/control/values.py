"""Values of tags as commands are answered with them."""

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Any

import msgspec

from edge_config.loading.resolved import ResolvedTag
from edge_config.models.tag import TagConfig
from gateway.core.status import Reason
from gateway.edge.control.protocol import ControlError
from gateway.edge.device.model import DeviceModel
from gateway.edge.live.naming import all_called, meant, several
from gateway.edge.live.records import TagLive, TagValue


class AskedAddress(msgspec.Struct, forbid_unknown_fields=True):
    """An address that no tag has, validated by whoever asks.

    Attributes:
        text: as it was written.
        fields: of the driver's address model.
    """

    text: str
    fields: Any

    @classmethod
    def of(cls, text: str, address: Any) -> "AskedAddress":
        """An instance of the driver's address model, to travel."""
        return cls(text, msgspec.to_builtins(address))

    def tag(self, model: DeviceModel) -> ResolvedTag:
        """A tag made for the moment, named by what was written.

        Raises:
            ControlError: it is no address of the device's driver.
        """
        try:
            address = msgspec.convert(self.fields, model.spec.address)
        except (msgspec.ValidationError, ValueError) as error:
            raise ControlError(f"{self.text}: {error}") from error
        return ResolvedTag(TagConfig(name=self.text, address=self.text), address)


class ValueNow(msgspec.Struct, frozen=True):
    """One tag.

    Attributes:
        tag: its name, with its machine before it if others have one (``PR-2/speed``), or the
            address that was asked for.
        address: where the driver finds it.
        value: scaled; None if there is none or it is BAD. No JSON number: nan, inf, -inf as text.
        unit: of the value.
        quality: ``good``, ``uncertain`` or ``bad``.
        reason: code of why it is not good; empty if it is.
        detail: what the device said of it; may be empty.
        raw: as the driver read it; None: it read none, or the device pushed the value.
        time_ms: of the value or the fault, UTC milliseconds; 0: never.
    """

    tag: str
    address: str
    value: TagValue
    unit: str
    quality: str
    reason: str
    detail: str
    raw: TagValue
    time_ms: int


def tags_to_read(
    model: DeviceModel, names: Sequence[str], addresses: Sequence[AskedAddress]
) -> list[ResolvedTag]:
    """What is asked for; all tags of the device if nothing is named.

    A name that several machines behind the device have is not guessed: such tags are called by
    their machines, too.

    Raises:
        ControlError: the device has no such tag, or several, or the address is none.
    """
    if not names and not addresses:
        return [one.renamed() for one in all_called(model.resolved)]
    found = [(name, meant(model.resolved, name)) for name in names]
    unknown = [name for name, tags in found if not tags]
    if unknown:
        few = ", ".join(one.name for one in all_called(model.resolved)[:20])
        raise ControlError(f"device {model.id} has no tag {', '.join(unknown)}; it has: {few}")
    for name, tags in found:
        if len(tags) > 1:
            raise ControlError(several(model.resolved, name, tags))
    named = [tags[0].renamed() for _, tags in found]
    return [*named, *(one.tag(model) for one in addresses)]


def values_now(tags: Iterable[TagLive], asked: Iterable[ResolvedTag]) -> list[ValueNow]:
    """What is known of tags, with the addresses of those that were asked for."""
    addresses = {tag.config.name: str(tag.address) for tag in asked}
    return [_value_now(tag, addresses[tag.name]) for tag in tags if tag.name in addresses]


def _value_now(tag: TagLive, address: str) -> ValueNow:
    return ValueNow(
        tag.name,
        address,
        _written(tag.value),
        tag.unit,
        tag.quality.name.lower(),
        "" if tag.reason is Reason.NONE else tag.reason.code,
        tag.detail,
        _written(tag.raw),
        tag.time_ms,
    )


def _written(value: TagValue) -> TagValue:
    return str(value) if isinstance(value, float) and not isfinite(value) else value
