"""The newest values of a machine as its page and its files show them, and which one is drawn."""

from collections.abc import Iterable
from dataclasses import dataclass

from starlette.requests import Request

from gateway.city.console.doubt import doubt_words
from gateway.city.console.live.present import MachineNow
from gateway.city.console.queries.gaps import GapRow
from gateway.city.ledger.names import MachineName
from gateway.city.live.newest import LiveValue
from gateway.core.status import Reason, quality_of, reason_of
from gateway.web.formats import moment
from gateway.web.i18n import Language
from gateway.web.tables import Cell, Table

SPANS = {"10m": 600_000, "1h": 3_600_000, "8h": 28_800_000, "24h": 86_400_000}
DEFAULT_SPAN = "10m"


@dataclass(frozen=True, slots=True)
class Reading:
    """The newest value of a tag, and why no newer one comes.

    Attributes:
        name: tag name.
        newest: its newest value.
        cause: reason code while the tag sends nothing, else empty.
    """

    name: str
    newest: LiveValue
    cause: str

    @property
    def quality(self) -> str:
        """``good`` or ``uncertain``."""
        return quality_of(self.newest.status).name.lower()

    def doubt(self, language: Language) -> str:
        """How far the value can be trusted, and why, in words."""
        return doubt_words(language, self.newest.status)

    @property
    def reason(self) -> str:
        """Reason code of an uncertain value, else empty; no more than its doubt may be known."""
        reason = reason_of(self.newest.status)
        return "" if reason is Reason.NONE else reason.code


@dataclass(frozen=True, slots=True)
class Wish:
    """Which tag over which time a visitor wants to see."""

    tag: str
    span: str


def readings_of(live: MachineNow | None, lacking: Iterable[GapRow]) -> list[Reading]:
    """Alarms and states first, then measured values, then counters."""
    if live is None:
        return []
    lasting = [gap for gap in lacking if gap.to_ms is None]
    order = {"alarm": 0, "state": 1, "value": 2, "counter": 3}
    values = sorted(live.values.items(), key=lambda item: (order.get(item[1].role, 2), item[0]))
    return [Reading(name, value, _cause(live, lasting, name, value)) for name, value in values]


def _cause(live: MachineNow, lasting: Iterable[GapRow], name: str, value: LiveValue) -> str:
    """Why a tag sends nothing now: its machine is lost, its group is, or it alone."""
    if live.link.link == "down":
        return live.link.cause
    return next((gap.cause for gap in lasting if gap.covers(value.group, name)), "")


def wish_of(request: Request, readings: Iterable[Reading]) -> Wish | None:
    """The tag and span that a request names, else the first measured value; None: no number."""
    numeric = [one for one in readings if _drawable(one.newest)]
    if not numeric:
        return None
    tag = request.query_params.get("tag", "")
    span = request.query_params.get("span", "")
    default = next((one for one in numeric if one.newest.role == "value"), numeric[0])
    known = {one.name for one in numeric}
    return Wish(tag if tag in known else default.name, span if span in SPANS else DEFAULT_SPAN)


def _drawable(value: LiveValue) -> bool:
    return isinstance(value.value, int | float) and not isinstance(value.value, bool)


def values_table(machine: MachineName, readings: Iterable[Reading]) -> Table:
    """The newest values as a file."""
    uscc, site_no, asset_no = machine
    return Table(
        name=f"values-{asset_no}",
        columns=(
            "tag", "label_zh", "label_en", "value", "unit", "quality", "reason", "role", "time",
            "cause",
        ),
        rows=[_cells(one) for one in readings],
        notes={"uscc": uscc, "site_no": site_no, "asset_no": asset_no},
    )  # fmt: skip


def _cells(reading: Reading) -> dict[str, Cell]:
    newest = reading.newest
    return {
        "tag": reading.name,
        "label_zh": newest.label_zh,
        "label_en": newest.label_en,
        "value": newest.value,
        "unit": newest.unit,
        "quality": reading.quality,
        "reason": reading.reason,
        "role": newest.role,
        "time": moment(newest.time_ms),
        "cause": reading.cause,
    }
