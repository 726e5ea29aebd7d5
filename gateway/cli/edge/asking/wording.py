"""How commands show values and times of devices."""

from typing import Any

from gateway.cli.wording import visible

Row = dict[str, Any]
"""A value as ``gateway.edge.control.values.ValueNow`` travels."""


def local_time(time_ms: int, timespec: str = "seconds") -> str:
    """A time of the box's own zone; a dash if there is none."""
    from datetime import datetime

    if not time_ms:
        return "–"
    return datetime.fromtimestamp(time_ms / 1000).astimezone().isoformat(" ", timespec)


def value_of(row: Row) -> str:
    """A value with its unit."""
    return "–" if row["value"] is None else visible(f"{row['value']} {row['unit']}".rstrip())


def why(row: Row) -> str:
    """Why it is not good, in words, with what the device said of it."""
    from gateway.web.i18n import cause_words

    reason = cause_words("en", row["reason"]) if row["reason"] else ""
    return visible(": ".join(part for part in (reason, row["detail"]) if part))


def fault_line(device: Row) -> str:
    """What is wrong with a device, in its own words too, and what to do; empty: nothing is.

    Args:
        device: as ``gateway.edge.control.commands.DeviceStatus`` travels.
    """
    from gateway.web.i18n import fault_words

    title, advice = fault_words("en", device["fault"], device["endpoint"], device["unit_name"])
    said = ": ".join(part for part in (title or device["cause"], device["detail"]) if part)
    return " – ".join(part for part in (said, advice) if part)
