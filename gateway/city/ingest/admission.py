"""Which schemas and states of a gateway the city accepts: identity, names, sizes. Pure.

The broker ties a topic to a gateway's credential, the registry ties the gateway to an enterprise
and site; a schema may speak of machines of that site only. Names become tags, fields and text in
databases, so they are held to what every database takes.
"""

import re
from dataclasses import dataclass

from edge_config.models.ledger_number import key_of, problem
from edge_config.models.limits import (
    MAX_DEVICES,
    MAX_LABEL,
    MAX_MACHINES,
    MAX_STATE_BYTES,
    MAX_TAGS,
    RESERVED_TAGS,
)
from gateway.city.ingest.limits import MAX_INT64
from gateway.core.schema import Schema
from gateway.wire.messages import State, decode_state

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
_SOURCES = {"controller", "sensor"}
MAX_WORD = 128
"""Characters of a device's link and its cause: both are words of a short list."""
LATEST_MS = 9_223_372_036_854
"""The year 2262, where the databases' times end."""


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
    return _size(schema) or _foreign(schema, enrolment) or _names(schema) or _tags(schema)


def _size(schema: Schema) -> str | None:
    if not 0 < len(schema.tags) <= MAX_TAGS:
        return f"schema has {len(schema.tags)} tags; 1 to {MAX_TAGS} are allowed"
    if len(schema.equipment) > MAX_MACHINES:
        return f"schema has {len(schema.equipment)} machines; at most {MAX_MACHINES} are allowed"
    return None


def _foreign(schema: Schema, enrolment: Enrolment) -> str | None:
    for machine in schema.equipment:
        own = key_of(machine.site_no) == key_of(enrolment.site_no)
        if machine.uscc != enrolment.uscc or not own:
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
        *((not problem(m.asset_no), "asset number", m.asset_no) for m in schema.equipment),
    ]
    for good, what, text in wrong:
        if not good:
            return f"schema has the {what} {text[:80]!r}, which is not allowed"
    return None


def _tags(schema: Schema) -> str | None:
    if len({run.kind for run in schema.runs}) != len(schema.runs):
        return "schema does not order its tags by kind"
    seen: set[tuple[int, str]] = set()
    for tag in schema.tags:
        if not _NAME.fullmatch(tag.name) or tag.name in RESERVED_TAGS:
            return f"schema has the tag {tag.name[:80]!r}, which is not allowed"
        if max(map(len, (tag.unit, tag.role, tag.label_zh, tag.label_en))) > MAX_LABEL:
            return f"tag {tag.name} has a text of more than {MAX_LABEL} characters"
        if not 0 <= tag.equipment < len(schema.equipment):
            return f"tag {tag.name} belongs to machine {tag.equipment} of {len(schema.equipment)}"
        if (tag.equipment, tag.name) in seen:
            return f"schema has the tag {tag.name} twice for one machine"
        seen.add((tag.equipment, tag.name))
    return None


def read_state(payload: bytes) -> State:
    """Read a state message.

    Raises:
        ValueError: it is none, or more than a gateway has to say.
    """
    if len(payload) > MAX_STATE_BYTES:
        raise ValueError(f"{len(payload)} bytes are over the limit of {MAX_STATE_BYTES}")
    state = decode_state(payload)
    if len(state.devices) > MAX_DEVICES:
        raise ValueError(f"{len(state.devices)} devices are over the limit of {MAX_DEVICES}")
    times = (
        state.time_ms,
        state.steady_since_ms,
        *(device.since_ms for device in state.devices.values()),
    )
    if (
        max((len(one.link) + len(one.cause) for one in state.devices.values()), default=0)
        > MAX_WORD
    ):
        raise ValueError(f"the link of a device takes more than {MAX_WORD} characters")
    if not all(0 <= time <= LATEST_MS for time in times):
        raise ValueError("a time is outside the years 1970 to 2262")
    counts = (state.last_seq, state.backlog_frames, state.backlog_values)
    if not all(0 <= count <= MAX_INT64 for count in counts):
        raise ValueError("a count is below 0 or above 2^63 - 1")
    return state
