"""An identifier with its metadata, as the SNMS interface carries it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.identifier.codes.handle import Handle, HandleError
from gateway.identifier.template import FIRST_INDEX


@dataclass(frozen=True, slots=True)
class Value:
    """One item of metadata: a text."""

    index: int
    type: str
    text: str


@dataclass(frozen=True, slots=True)
class Record:
    """What is registered for one identifier.

    Attributes:
        handle: the identifier.
        template_version: template that the values follow.
        values: in order of the index.
    """

    handle: str
    template_version: str
    values: tuple[Value, ...]

    def body(self) -> dict[str, Any]:
        """The JSON of a registration or update."""
        return {
            "handle": self.handle,
            "templateVersion": self.template_version,
            "value": [
                {
                    "index": value.index,
                    "type": value.type,
                    "data": {"format": "string", "value": value.text},
                    "auth": "",
                }
                for value in self.values
            ],
        }

    def agrees_with(self, other: "Record") -> bool:
        """Whether a record that was read back is this one."""
        return (
            Handle.parse(self.handle).same_as(Handle.parse(other.handle))
            and self.template_version == other.template_version
            and set(self.values) == set(other.values)
        )


def read_record(data: Mapping[str, Any]) -> Record:
    """The record in the answer of ``/identityv2/data/detail``.

    The node's own items are left out, and empty ones, which some nodes add for the template's.

    Raises:
        HandleError: the answer holds no record.
    """
    try:
        values = [_read_value(one) for one in data["value"]]
        own = [one for one in values if one.index >= FIRST_INDEX and one.text]
        handle = Handle.parse(str(data["handle"]))
        return Record(str(handle), str(data["templateVersion"]), tuple(sorted(own, key=_index)))
    except (KeyError, TypeError, ValueError) as error:
        raise HandleError(f"the node's answer is no record: {error!r}") from error


def _index(value: Value) -> int:
    return value.index


def _read_value(one: Mapping[str, Any]) -> Value:
    return Value(int(one["index"]), str(one["type"]), str(one["data"]["value"]))
