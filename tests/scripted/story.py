"""What happens in the scripted city, read from ``month.yaml``: rows as written, values as sent.

It knows neither what the product does with them nor what they come to.

Left out in the file: a row of the ledger is of site 1, 生产设备, digital, not key, in use and
commissioned in 2023; an enterprise is on the roster since 2024, verified in 2025 and 规上; columns
that nobody wrote in an act are not in its table.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("month.yaml")
BEIJING = timezone(timedelta(hours=8))
SITE = "1"
SATURDAY = 5

_ENTERPRISE = {
    "above_scale": "yes",
    "ledger_verified_by": "张三",
    "ledger_verified_on": "2025-03-01",
}
_ON_ROSTER = {"roster": "KEY", "roster_from": "2024-01-01", "roster_approved_by": "经信局"}
_EQUIPMENT = {
    "equipment_class": "production",
    "key_equipment": "no",
    "digital": "yes",
    "commissioned_on": "2023-05-01",
    "status": "in_use",
}


@dataclass(frozen=True)
class Row:
    """One row of the ledger as somebody wrote it; a key that is absent was no column."""

    at: datetime
    kind: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class Value:
    """One value as it left a machine, and when it came to the city."""

    at: datetime
    came: datetime
    gateway: str
    uscc: str
    asset_no: str
    source: str
    quality: str
    synthetic: bool
    unit: str

    @property
    def day(self) -> date:
        return self.at.astimezone(BEIJING).date()


@dataclass(frozen=True)
class Story:
    """The file, with everything that it leaves out."""

    data: Mapping[str, Any]

    @property
    def month(self) -> str:
        return str(self.data["month"])

    @property
    def began(self) -> date:
        began: date = self.data["began"]
        return began

    def uscc(self, who: str) -> str:
        """The code of an enterprise that the file calls by a letter."""
        return str(self.data["enterprises"][who]["uscc"])

    @cached_property
    def names(self) -> dict[str, str]:
        """Names of enterprises by code."""
        return {one["uscc"]: one["name"] for one in self.data["enterprises"].values()}

    def moment(self, name: str) -> datetime:
        return _time(self.data["moments"][name])

    @property
    def answering(self) -> set[tuple[str, str]]:
        """Machines that answer at the moment ``running``: code and number."""
        return {(self.uscc(one[0]), one) for one in self.data["answering"]}

    def is_rest(self, day: date) -> bool:
        """Whether a day is one of rest by the notice."""
        rest = self.data["rest"]
        if any(day in _span(one) for one in rest["holidays"]):
            return True
        return day.weekday() >= SATURDAY and day not in rest["worked"]

    @cached_property
    def rows(self) -> list[Row]:
        """What was written into the ledger, in this order."""
        return [row for act in self.data["ledger"] for row in self._rows(act)]

    def _rows(self, act: Mapping[str, Any]) -> Iterator[Row]:
        at, seen = _time(act["at"]), act is not self.data["ledger"][0]
        for one in act.get("enterprises", ()):
            for who in one["who"]:
                first = {} if seen else _ON_ROSTER
                if one.get("roster") == "":
                    first = dict.fromkeys(_ON_ROSTER, "")
                joins = {**_ON_ROSTER} if one.get("roster_from") else {}
                ends = {"roster": "KEY"} if "roster_to" in one else {}
                own = {"uscc": self.uscc(who), "name": self.names[self.uscc(who)]}
                said = {key: _text(value) for key, value in one.items() if key != "who"}
                yield Row(at, "enterprise", own | _ENTERPRISE | first | joins | ends | said)
        for one in act.get("equipment", ()):
            for number in _numbers(one["numbers"]):
                own = {"uscc": self.uscc(one["who"][0]), "site_no": SITE, "asset_no": number}
                own["name"] = f"设备{number}"
                said = {k: _text(v) for k, v in one.items() if k not in ("who", "numbers")}
                yield Row(at, "equipment", own | _EQUIPMENT | said)
        for one in act.get("withdraw", ()):
            own = {
                "uscc": self.uscc(one["who"][0]),
                "asset_no": one["number"],
                "reason": one["reason"],
            }
            yield Row(at, "withdrawal", own)

    @cached_property
    def values(self) -> list[Value]:
        """What machines sent, in the order in which it came; what never came is left out."""
        found = [value for one in self.data["sends"] for value in self._values(one)]
        return sorted(found, key=lambda value: (value.came, value.at, value.asset_no))

    def _values(self, one: Mapping[str, Any]) -> Iterator[Value]:
        name = one["gateway"]
        uscc = self.uscc(self.data["gateways"][name]["of"])
        clock = time.fromisoformat(one.get("at", "09:00"))
        for day in sorted(set(self._days(one.get("days", [])))):
            at = datetime.combine(day, clock, BEIJING)
            came = self._came(name, at)
            if came is None:
                continue
            for number in _numbers(one["numbers"]):
                yield Value(
                    at, came, name, uscc, number, one.get("source", "controller"),
                    one.get("quality", "good"), bool(one.get("synthetic")), one.get("unit", ""),
                )  # fmt: skip

    def _days(self, written: list[Any]) -> Iterator[date]:
        every = _days(self.data["sends_from"], self.data["sends_to"])
        if not written:
            yield from every
        for one in written:
            if one in ("worked", "rest"):
                yield from (day for day in every if self.is_rest(day) == (one == "rest"))
            else:
                yield from _span(one)

    def is_alive(self, gateway: str, now_ms: int) -> bool:
        """Whether a gateway is up and reaches the city."""
        at = datetime.fromtimestamp(now_ms / 1000, BEIJING)
        came = self._came(gateway, at)
        return came is not None and came - at <= timedelta(seconds=1)

    def _came(self, gateway: str, at: datetime) -> datetime | None:
        facts = self.data["gateways"][gateway]
        if "dies" in facts and at >= _time(facts["dies"]):
            return None
        if "away" in facts:
            first, back = map(_time, facts["away"])
            if first <= at < back:
                return back
        return at + timedelta(seconds=1)


def only(story: Story, firms: str, gateways: Mapping[str, Any], acts: list[Any]) -> Story:
    """The story of some enterprises, with other fates of their gateways and further acts.

    Args:
        story: of the file.
        firms: their letters.
        gateways: what to say of gateways beside whose they are, by id.
        acts: of the ledger, after the first one and before the others.
    """

    def own(rows: list[Any]) -> list[Any]:
        kept = [one | {"who": [w for w in one["who"] if w in firms]} for one in rows]
        return [one for one in kept if one["who"]]

    def cut(act: Mapping[str, Any]) -> dict[str, Any]:
        kept = {kind: rows if kind == "at" else own(rows) for kind, rows in act.items()}
        return {kind: rows for kind, rows in kept.items() if rows}

    first, *rest = map(cut, story.data["ledger"])
    ledger = [first, *(act for act in rest if len(act) > 1), *acts]
    of = {name: {"of": one["of"]} for name, one in story.data["gateways"].items()}
    kept = {name: one | gateways.get(name, {}) for name, one in of.items() if one["of"] in firms}
    changes = {
        "ledger": sorted(ledger, key=lambda act: str(act["at"])),
        "gateways": kept,
        "sends": [one for one in story.data["sends"] if one["gateway"] in kept],
    }
    return Story({**story.data, **changes})


def load() -> Story:
    """The story of the file."""
    return Story(yaml.safe_load(FILE.read_text(encoding="utf-8")))


def _time(written: Any) -> datetime:
    return datetime.fromisoformat(str(written)).replace(tzinfo=BEIJING)


def _text(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=one) for one in range((last - first).days + 1)]


def _span(written: Any) -> list[date]:
    first, _, last = str(written).partition("..")
    return _days(date.fromisoformat(first), date.fromisoformat(last or first))


def _numbers(written: list[str]) -> Iterator[str]:
    for one in written:
        first, _, last = one.partition("..")
        letter, _, number = first.partition("-")
        for at in range(int(number), int((last or first).partition("-")[2]) + 1):
            yield f"{letter}-{at:02d}"
