"""What the figures of a scripted month must be, counted by going through every machine and day.

Written from docs/rates.md, over values as they were sent and rows as they were written. It knows
nothing of the product: no query, no table, no definition record and no shortcut of it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

from tests.scripted.story import BEIJING, Row, Story, Value

SERVING = {"in_use", "standby"}
EVER = date.min


@dataclass(frozen=True)
class Rate:
    """How one rate counts, as its page says it in words."""

    scope: str = "all"
    verified_only: bool = False
    classes: tuple[str, ...] = ("production",)
    only: str = ""
    sources: tuple[str, ...] = ("controller",)
    percent: int = 0
    silence: int = 0
    rested: bool = False
    doubts: bool = False
    asks: str = "networked"
    days_back: int = 0


HEADLINE = Rate(scope="roster", verified_only=True, percent=80, silence=7, rested=True)
RATES = {
    "ENR-A": HEADLINE,
    "ENR-B": Rate(),
    "ENR-C": Rate(verified_only=True, only="digital"),
    "ENR-D": Rate("roster", True, only="key_equipment", percent=80, silence=7, rested=True),
    "DIG-A": Rate(asks="digital"),
    "SENS": Rate(sources=("controller", "sensor")),
    "ONL": Rate(classes=(), sources=("controller", "sensor"), asks="answering", days_back=30),
    "COV": Rate(scope="roster", asks="ledger"),
    "LOOSE": Rate("roster", True, percent=40, silence=7),
    "EACH": Rate("roster", True, percent=80, silence=7),
    "LARGE": Rate(scope="large"),
    "DOUBTS": Rate(doubts=True),
}
INSTANT = "ONL"


@dataclass
class Machine:
    """A machine of the ledger, with all that was written of it by a moment."""

    uscc: str
    asset_no: str
    said: list[tuple[date, Mapping[str, str]]] = field(default_factory=list)
    statuses: dict[date, tuple[str, bool]] = field(default_factory=dict)
    commissioned: date | None = None
    kinds: set[tuple[date, str, str, bool]] = field(default_factory=set)
    """Of its values: day, quality, source, synthetic."""
    twin_of: "Machine | None" = None

    def on(self, day: date) -> Mapping[str, str]:
        """The row that holds on a day; the first one holds since ever."""
        return [row for start, row in self.said if start <= day][-1]

    def status(self, day: date) -> str:
        """The status by the entries; empty before the first."""
        begun = [start for start in self.statuses if start <= day]
        return self.statuses[max(begun)][0] if begun else ""

    def possible(self, day: date) -> set[str]:
        """Both statuses, on days that an entry without a date behind them leaves open."""
        found = {self.status(day)}
        coming = min((one for one in self.statuses if one > day), default=None)
        if coming is not None and day not in self.statuses and not self.statuses[coming][1]:
            found.add(self.statuses[coming][0])
        return found

    def serves(self, day: date) -> bool | None:
        """In service; None: nobody can say."""
        kinds = {one in SERVING for one in self.possible(day)}
        return kinds.pop() if len(kinds) == 1 else None


@dataclass
class Firm:
    """An enterprise, with all that was written of it by a moment."""

    uscc: str
    said: list[tuple[date, Mapping[str, str]]] = field(default_factory=list)
    verified: list[date] = field(default_factory=list)
    joined: date | None = None
    left: date | None = None

    def on(self, day: date) -> Mapping[str, str]:
        return [row for start, row in self.said if start <= day][-1]

    def is_member(self, day: date) -> bool:
        return self.joined is not None and self.joined <= day and (not self.left or day < self.left)


class Verdict(NamedTuple):
    """How a machine counts: in N, in K, and why; and its days."""

    counted: bool
    networked: bool
    why: str
    days: str = ""


class Part(NamedTuple):
    """Figures of a part of the city."""

    networked: int
    equipment: int
    enterprises: int
    pooled: Fraction | None
    mean: Fraction | None


class Counted(NamedTuple):
    """All figures of one rate by dimension and key, and the verdict on every machine."""

    parts: dict[str, dict[str, Part]]
    verdicts: dict[tuple[str, str], Verdict]


class Oracle:
    """Everything that was known at a moment, and what it comes to."""

    def __init__(self, story: Story, now: datetime) -> None:
        self._story, self._now = story, now
        self.firms: dict[str, Firm] = {}
        self.machines: list[Machine] = []
        self._named: dict[tuple[str, str], Machine] = {}
        for row in story.rows:
            if row.at <= now:
                self._read(row)
        self._hand_out([one for one in story.values if one.came <= now])
        first = date.fromisoformat(f"{story.month}-01")
        following = (first + timedelta(days=31)).replace(day=1)
        self._first, today = first, now.astimezone(BEIJING).date()
        self._last = min(today, following - timedelta(days=1))
        self._today = today

    # -- the ledger ------------------------------------------------------------------------

    def _read(self, row: Row) -> None:
        day = row.at.date()
        if row.kind == "enterprise":
            self._enterprise(row.values, day)
        elif row.kind == "equipment":
            self._equipment(row.values, day)
        else:
            machine = self._named[row.values["uscc"], row.values["asset_no"]]
            machine.statuses = {EVER: ("withdrawn", True)}

    def _enterprise(self, said: Mapping[str, str], day: date) -> None:
        firm = self.firms.setdefault(said["uscc"], Firm(said["uscc"]))
        firm.said.append((day if firm.said else EVER, said))
        if said["ledger_verified_on"]:
            firm.verified.append(date.fromisoformat(said["ledger_verified_on"]))
        if said.get("roster_from"):
            firm.joined = date.fromisoformat(said["roster_from"])
        if said.get("roster_to"):
            firm.left = date.fromisoformat(said["roster_to"])

    def _equipment(self, said: Mapping[str, str], day: date) -> None:
        name = (said["uscc"], said["asset_no"])
        old = said.get("formerly")
        if old:
            self._named[name] = self._named[said["uscc"], old]
            self._named[name].asset_no = said["asset_no"]
        if name not in self._named:
            self._named[name] = Machine(*name)
            self.machines.append(self._named[name])
        machine = self._named[name]
        machine.said.append((day if machine.said else EVER, said))
        if said["commissioned_on"]:
            machine.commissioned = date.fromisoformat(said["commissioned_on"])
        self._status(machine, said, day)

    def _status(self, machine: Machine, said: Mapping[str, str], day: date) -> None:
        since, status = said.get("status_since"), said["status"]
        if since:
            start, dated = date.fromisoformat(since), True
        elif not machine.statuses and machine.commissioned and status in SERVING:
            start, dated = machine.commissioned, True
        else:
            start, dated = day, False
        if machine.status(start) != status:
            machine.statuses[start] = (status, dated)
            return
        entered = min(machine.statuses)
        _, is_dated = machine.statuses[entered]
        if not is_dated and machine.commissioned and machine.commissioned <= entered:
            machine.statuses[machine.commissioned] = (machine.statuses.pop(entered)[0], True)

    # -- values ----------------------------------------------------------------------------

    def _hand_out(self, values: Sequence[Value]) -> None:
        """Give values to the machines that they name; whoever came later to a unit is a twin."""
        units: dict[tuple[str, str], Machine] = {}
        for value in values:
            machine = self._named.get((value.uscc, value.asset_no))
            if machine is None:
                continue  # it stands in no ledger
            machine.kinds.add((value.day, value.quality, value.source, value.synthetic))
            if value.unit:
                first = units.setdefault((value.gateway, value.unit), machine)
                if first is not machine:
                    machine.twin_of = first

    def days_with(self, rate: Rate, machine: Machine, which: str) -> set[date]:
        """Days with values: ``valid`` at the level, ``seen`` from any source, or ``doubtful``."""
        good = {"good", "uncertain"} if rate.doubts else {"good"}
        return {
            day
            for day, quality, source, synthetic in machine.kinds
            if not synthetic and day >= self._story.began
            if (quality in good) == (which != "doubtful")
            if which != "valid" or source in rate.sources
        }

    # -- one machine -----------------------------------------------------------------------

    def verdict(self, rate: Rate, machine: Machine) -> Verdict:
        """The first reason that applies."""
        why = self._outside(rate, machine)
        if why:
            return Verdict(False, False, why)
        lacking, days = self._lacking(rate, machine)
        if not lacking and self._undated(machine):
            lacking = self._undated(machine)
        if not lacking and machine.twin_of is not None:
            first = machine.twin_of
            if not self._outside(rate, first) and not self._short(rate, first):
                lacking = "same_unit"
        return Verdict(True, not lacking, lacking or rate.asks, days)

    def _short(self, rate: Rate, machine: Machine) -> str:
        return self._lacking(rate, machine)[0] or self._undated(machine)

    def _outside(self, rate: Rate, machine: Machine) -> str:
        firm, said = self.firms[machine.uscc], machine.on(self._last)
        member = {
            "all": True,
            "roster": firm.is_member(self._last),
            "large": firm.on(self._last)["above_scale"] == "yes",
        }
        served, status = machine.serves(self._last), machine.status(self._last)
        reasons = {
            "out_of_scope": not member[rate.scope],
            "ledger_unverified": rate.verified_only and not self.is_verified(firm),
            "class_excluded": bool(rate.classes) and said["equipment_class"] not in rate.classes,
            "digital_excluded": rate.only == "digital" and said["digital"] != "yes",
            "key_excluded": rate.only == "key_equipment" and said["key_equipment"] != "yes",
            f"status_{status}" if status else "not_in_service": served is False,
            "newly_commissioned": bool(
                machine.commissioned and machine.commissioned >= self._first
            ),
            "never_connected": rate.asks == "answering" and not self._was_seen(rate, machine),
        }
        return next((why for why, applies in reasons.items() if applies), "")

    def is_verified(self, firm: Firm) -> bool:
        """Somebody had verified its ledger by the last day, and took no mark back."""
        kept = firm.said[-1][1]["ledger_verified_on"]
        return bool(kept) and any(one <= self._last for one in firm.verified)

    def _was_seen(self, rate: Rate, machine: Machine) -> bool:
        seen = self.days_with(rate, machine, "seen")
        return any(self._in_window(rate, day) and machine.serves(day) is not False for day in seen)

    def _in_window(self, rate: Rate, day: date) -> bool:
        back = self._last - timedelta(days=rate.days_back - 1) if rate.days_back else self._first
        return back <= day <= self._last

    def _undated(self, machine: Machine) -> str:
        """A date that is missing never helps."""
        used = [day for day, (status, _) in machine.statuses.items() if status in SERVING]
        if machine.commissioned is None and min(used, default=self._first) >= self._first:
            return "start_undated"
        return "status_undated" if machine.serves(self._last) is None else ""

    def _lacking(self, rate: Rate, machine: Machine) -> tuple[str, str]:
        if rate.asks == "digital":
            return ("" if machine.on(self._last)["digital"] == "yes" else "not_digital"), ""
        if rate.asks == "answering":
            name = (machine.uscc, machine.asset_no)
            if name not in self._story.answering:
                return "not_answering", ""
            seen = {d for d in self.days_with(rate, machine, "seen") if self._in_window(rate, d)}
            surely = any(machine.serves(day) for day in seen)
            return ("" if surely else self._undated_as(machine)), ""
        due, open_days = self._due(rate, machine)
        valid = self.days_with(rate, machine, "valid") & (due - open_days)
        told = f"{len(valid)} of {len(due)} days, {len(open_days)} open"
        if not valid and self.days_with(rate, machine, "valid") & open_days:
            return self._undated_as(machine), told
        if not valid:
            return self._absent(rate, machine, due), told
        return self._irregular(rate, machine, valid, due, open_days), told

    def _due(self, rate: Rate, machine: Machine) -> tuple[set[date], set[date]]:
        """Days in service on which data are due, and of these those that are undetermined."""
        span = (self._last - self._first).days + 1
        days = {self._first + timedelta(days=one) for one in range(span)}
        if rate.rested:
            days = {day for day in days if not self._story.is_rest(day)}
        if self._today == self._last and self._today not in self.days_with(rate, machine, "valid"):
            days.discard(self._today)
        due = {day for day in days if machine.serves(day) is not False}
        return due, {day for day in due if machine.serves(day) is None}

    def _undated_as(self, machine: Machine) -> str:
        return "start_undated" if self._undated(machine) == "start_undated" else "status_undated"

    def _absent(self, rate: Rate, machine: Machine, due: set[date]) -> str:
        if self.days_with(rate, machine, "seen") & due:
            return "sensor_only"
        return (
            "uncertain_only" if self.days_with(rate, machine, "doubtful") & due else "no_evidence"
        )

    def _irregular(
        self, rate: Rate, machine: Machine, valid: set[date], due: set[date], open_days: set[date]
    ) -> str:
        if not rate.percent:
            return ""
        share = Fraction(rate.percent, 100)
        if len(valid) < share * len(due):
            surely = len(valid) >= share * (len(due) - len(open_days))
            return self._undated_as(machine) if surely else "too_few_days"
        silent = [day for day in due if day > max(valid)]
        return "silent_at_end" if len(silent) > rate.silence else ""

    # -- figures ---------------------------------------------------------------------------

    def count(self, name: str) -> Counted:
        """All figures of one rate."""
        rate = RATES[name]
        verdicts = {
            (one.uscc, one.asset_no): self.verdict(rate, one)
            for one in self.machines
            if rate.asks != "ledger"
        }
        counts = {uscc: self._firm(rate, firm, verdicts) for uscc, firm in self.firms.items()}
        known = {uscc: one for uscc, one in counts.items() if one is not None}
        places = {uscc: self.firms[uscc].on(self._last) for uscc in known}

        def parts(key: Callable[[str], str]) -> dict[str, Part]:
            groups: dict[str, list[tuple[int, int]]] = defaultdict(list)
            for uscc, count in known.items():
                groups[key(uscc)].append(count)
            return {one: part(group) for one, group in groups.items() if one}

        def said(column: str, digits: int) -> Callable[[str], str]:
            return lambda uscc: places[uscc][column][:digits]

        both = parts(lambda uscc: "/".join(places[uscc][one] for one in ("county", "industry")))
        cells = {
            "enterprise": parts(lambda uscc: uscc),
            "county": parts(said("county", 6)),
            "industry": parts(said("industry", 4)),
            "industry3": parts(said("industry", 3)),
            "industry2": parts(said("industry", 2)),
            "county-industry": both,
            "area": parts(lambda uscc: self.firms[uscc].said[0][1].get("functional_area", "")),
            "city": {"city": part(list(known.values()))},
        }
        return Counted(cells, verdicts)

    def _firm(
        self, rate: Rate, firm: Firm, verdicts: Mapping[tuple[str, str], Verdict]
    ) -> tuple[int, int] | None:
        """K and N of an enterprise; None: it is out of scope."""
        if rate.scope == "roster" and not firm.is_member(self._last):
            return None
        if rate.scope == "large" and firm.on(self._last)["above_scale"] != "yes":
            return None
        if rate.asks == "ledger":
            return int(self.is_verified(firm)), 1
        own = [verdict for (uscc, _), verdict in verdicts.items() if uscc == firm.uscc]
        return sum(one.networked for one in own), sum(one.counted for one in own)

    def history(self, rate: Rate, machine: Machine) -> Iterator[tuple[date, bool | None, bool]]:
        """Of each day: in service or not or nobody knows, and whether valid data came."""
        valid = self.days_with(rate, machine, "valid")
        for offset in range((self._last - self._first).days + 1):
            day = self._first + timedelta(days=offset)
            yield day, machine.serves(day), day in valid


def part(counts: Sequence[tuple[int, int]]) -> Part:
    """Figures of some enterprises; those without machines have no rate of their own."""
    rates = [Fraction(100 * k, n) for k, n in counts if n]
    networked, equipment = (sum(one[at] for one in counts if one[1]) for at in range(2))
    if not rates:
        return Part(0, 0, 0, None, None)
    pooled = Fraction(100 * networked, equipment)
    return Part(networked, equipment, len(rates), pooled, sum(rates) / len(rates))
