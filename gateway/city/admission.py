"""Which schemas of a gateway the city accepts: identity and well-formed names. Pure.

The broker ties a topic to a gateway's credential, the registry ties the gateway to an enterprise
and site; a schema may speak of machines of that site only. Names become tags, fields and text in
databases, so they are held to what every database takes.
"""

import re
from dataclasses import dataclass

from gateway.core.schema import Schema

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
_ASSET = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")
_RESERVED = {"time"}
_SOURCES = {"controller", "sensor"}
MAX_TAGS = 20_000
"""Most tags in one schema."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What the registry says of a gateway."""

    gateway: str
    uscc: str
    site_no: str


def is_device_id(text: str) -> bool:
    """Whether a text can be a device or group id: 1–63 of ``a-z 0-9 -``."""
    return _ID.fullmatch(text) is not None


def objection(schema: Schema, enrolment: Enrolment) -> str | None:
    """Why a schema is not accepted; None if it is.

    Args:
        schema: as the gateway sent it.
        enrolment: of that gateway.
    """
    return _foreign(schema, enrolment) or _names(schema) or _tags(schema)


def _foreign(schema: Schema, enrolment: Enrolment) -> str | None:
    for machine in schema.equipment:
        if (machine.uscc, machine.site_no) != (enrolment.uscc, enrolment.site_no):
            return (
                f"equipment {machine.uscc[:18]}/{machine.site_no[:16]} is not of the gateway's "
                f"enterprise and site {enrolment.uscc}/{enrolment.site_no}"
            )
    return None


def _names(schema: Schema) -> str | None:
    wrong = [
        (_ID.fullmatch(schema.device), "device", schema.device),
        (_ID.fullmatch(schema.group), "group", schema.group),
        (_NAME.fullmatch(schema.profile), "profile", schema.profile),
        (schema.source in _SOURCES, "source", schema.source),
        *((_ASSET.fullmatch(m.asset_no), "asset number", m.asset_no) for m in schema.equipment),
    ]
    for good, what, text in wrong:
        if not good:
            return f"schema has the {what} {text[:80]!r}, which is not allowed"
    return None


def _tags(schema: Schema) -> str | None:
    if not 0 < len(schema.tags) <= MAX_TAGS:
        return f"schema has {len(schema.tags)} tags; 1 to {MAX_TAGS} are allowed"
    if len({run.kind for run in schema.runs}) != len(schema.runs):
        return "schema does not order its tags by kind"
    seen: set[tuple[int, str]] = set()
    for tag in schema.tags:
        if not _NAME.fullmatch(tag.name) or tag.name in _RESERVED:
            return f"schema has the tag {tag.name[:80]!r}, which is not allowed"
        if not 0 <= tag.equipment < len(schema.equipment):
            return f"tag {tag.name} belongs to machine {tag.equipment} of {len(schema.equipment)}"
        if (tag.equipment, tag.name) in seen:
            return f"schema has the tag {tag.name} twice for one machine"
        seen.add((tag.equipment, tag.name))
    return None
