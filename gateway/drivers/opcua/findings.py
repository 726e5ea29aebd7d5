"""What is wrong with tags that are BAD, in words: the server's StatusCode, or its type."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from asyncua import ua

from gateway.core.batch import Status
from gateway.core.status import FIRST_BAD, reason_of
from gateway.drivers.api import Point, TagFault
from gateway.drivers.extras import Notice
from gateway.drivers.opcua.connecting.namespaces import Namespaces
from gateway.drivers.opcua.encoding.binary import ARRAY, TYPE_BITS
from gateway.drivers.opcua.encoding.codec import BAD
from gateway.drivers.opcua.encoding.convert import fits, type_for
from gateway.drivers.opcua.encoding.layouts import STRUCTURE
from gateway.drivers.opcua.encoding.quality import CHANGED
from gateway.drivers.opcua.faults import hint_of, name_of


class Findings:
    """The newest fault of each of some points.

    Args:
        points: they are told apart by their places.
    """

    def __init__(self, points: Sequence[Point]) -> None:
        self._points = points
        self._status = np.zeros(len(points), np.uint8)
        self._code = np.zeros(len(points), np.uint32)
        self._variant = np.zeros(len(points), np.uint8)
        self._changed: set[int] = set()

    def note(
        self,
        places: npt.NDArray[np.integer],
        status: Status,
        code: npt.NDArray[np.uint32],
        variant: npt.NDArray[np.uint8],
    ) -> None:
        """Note those of some values that are BAD, or of which the meaning changed.

        Args:
            places: of which point each value is.
            status: status byte of each.
            code: its StatusCode.
            variant: its built-in type, with the bit of an array; 0: it had no value.
        """
        changed = code & CHANGED != 0
        if changed.any():
            self._changed.update(places[changed & (code < BAD)].tolist())
        wrong = status >= FIRST_BAD
        if wrong.any():
            chosen = places[wrong]
            self._status[chosen] = status[wrong]
            self._code[chosen] = code[wrong]
            self._variant[chosen] = variant[wrong]

    def notices(self) -> list[Notice]:
        """Tags of which the server said that they mean something else now."""
        return [_changed(self._points[at].name) for at in sorted(self._changed)]

    def words(self, namespaces: Namespaces) -> dict[str, TagFault]:
        """The faults by tag name, with the namespaces of the session."""
        return {
            self._points[at].name: TagFault(
                reason_of(int(self._status[at])), self._sentence(at, namespaces)
            )
            for at in np.flatnonzero(self._status).tolist()
        }

    def _sentence(self, at: int, namespaces: Namespaces) -> str:
        point, code = self._points[at], int(self._code[at])
        if code >= BAD:
            lacks = namespaces.lacks(point.address.name)
            return lacks or f"the server answered {name_of(code)}{hint_of(code)}"
        return type_sentence(point.address.type, int(self._variant[at]), point.address.part)


_OF_TEXTS = "a NUL stands within it, or its bytes are no UTF-8"


def _changed(tag: str) -> Notice:
    return Notice(
        f"changed {tag}",
        f"the server said that unit, range or structure of {tag!r} changed: compare them with the "
        "tag's unit, scale and limits, then restart the device",
    )


def type_sentence(wanted: str, variant: int, part: str = "") -> str:
    """Why a value that the server calls good cannot be taken.

    Args:
        wanted: type of the tag.
        variant: built-in type of the value, with the bit of an array; 0: it had no value.
        part: path to a part of the value, if the tag wants one.
    """
    if not variant:
        return "the server gave no value (null)"
    name = _name_of_type(variant & TYPE_BITS)
    if variant & ARRAY or variant == STRUCTURE:
        return _part_sentence(name, variant, part)
    if fits(wanted, variant):
        is_text = wanted == "string"
        why = _OF_TEXTS if is_text else "it is not finite (NaN, infinite)"
        return f"the server's {name} cannot be taken: {why}"
    advice = type_for(variant)
    return f"the server's type is {name}, which does not fit {wanted}; " + (
        f"write type: {advice}" if advice else f"no type takes a {name}"
    )


def _part_sentence(name: str, variant: int, part: str) -> str:
    if part:
        return _no_such_part(name, part)
    if variant & ARRAY:
        return f"the server gave an array of {name}; write which element, as in part: '[0]'"
    return "the server gave a structure; write which field, as in part: .Name"


def _no_such_part(name: str, part: str) -> str:
    if "." not in part:
        return (
            f"the server's {name} has no part {part!r} that is one value: see its sizes in a "
            "browser of OPC UA"
        )
    return (
        f"the server's {name} has no part {part!r} that is one value: see its fields in a browser "
        "of OPC UA. A structure that the server does not describe, or that is not as it is "
        "described, has none: update the server, or let its program show the field as a variable "
        "of its own"
    )


def _name_of_type(number: int) -> str:
    try:
        return ua.VariantType(number).name
    except ValueError:
        return f"type {number}"
