"""A definition record as a question to an engine: one text for all of them. Pure.

The text holds whole numbers and names of :mod:`gateway.city.rates.engines.layout` and nothing
that anybody wrote. It judges machines as :func:`gateway.city.rates.compute.judge` does.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from gateway.city.rates.attendance import Window
from gateway.city.rates.engines.engine import NotSayableError
from gateway.city.rates.engines.layout import CLASSES
from gateway.city.rates.engines.steps import machine_days, named, step
from gateway.city.rates.model import Definition

SAID = frozenset(
    {
        "measure", "classes", "only", "statuses", "level", "denominator_level", "continuity",
        "days", "window_days", "count_uncertain",
    }
)  # fmt: skip
"""Fields of a record that a question holds."""
ELSEWHERE = frozenset(
    {
        "id", "version", "name_zh", "name_en", "formula_zh", "formula_en", "source_zh",
        "source_en", "scope", "exclude", "aggregate", "bands", "decimals", "open_questions",
    }
)  # fmt: skip
"""Fields that decide nothing of an enterprise's machines."""


_DAYS = (
    "service_days + rested_days + stopped_days",
    "rested_days",
    "stopped_days",
    "stopped_late_days + rest_late_days",
)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a copy.

    Attributes:
        definition: the record.
        window: the days.
        copy: number of the copy.
        answering: machines that answer now.
        same_unit: machines whose unit counts for another one, if they meet the record.

    Raises:
        NotSayableError: no engine can be asked for the record.
    """

    definition: Definition
    window: Window
    copy: int
    answering: Collection[int] = ()
    same_unit: Collection[int] = ()

    def __post_init__(self) -> None:
        _demand_sayable(self.definition)

    def firms(self) -> str:
        """A row for each enterprise: its number, and the fields of a ``FirmCount``."""
        sums = (
            _number_of("is_met AND NOT is_same"),
            _number_of("is_undated"),
            _number_of("is_asked"),
            "count(*)",
            _number_of("is_excused"),
            *(f"sum(CASE WHEN is_asked OR is_excused THEN {one} ELSE 0 END)" for one in _DAYS),
        )
        return f"{self._judged()}\nSELECT firm, {', '.join(sums)} FROM judged GROUP BY firm"

    def meeting(self, machines: Iterable[int]) -> str:
        """Which of some machines are in the numerator themselves, whatever their enterprise."""
        return f"{self._judged()}\nSELECT machine FROM judged WHERE is_met AND {_among(machines)}"

    def _judged(self) -> str:
        record = self.definition
        said = [
            (_is_asked(record), "is_asked"),
            (_is_excused(record), "is_excused"),
            (_lacks(record, _among(self.answering)), "lacks"),
            (_is_dateless(record), "is_dateless"),
            (_among(self.same_unit), "is_same"),
        ]
        # The order of the rules: what is lacking for sure is not put down to a missing date.
        judged = [
            ("is_asked AND NOT lacks AND NOT is_dateless", "is_met"),
            ("is_asked AND NOT lacks AND is_dateless", "is_undated"),
        ]
        steps = [
            *machine_days(record, self.window, self.copy),
            step("said", ["*", *named(said)], "machines"),
            step("judged", ["*", *named(judged)], "said"),
        ]
        return f"WITH {','.join(steps)}"


def _demand_sayable(record: Definition) -> None:
    name = f"{record.id} version {record.version}"
    if record.measure == "ledger":
        raise NotSayableError(f"{name} counts enterprises, of which no engine holds a copy")
    unknown = set(type(record).model_fields) - SAID - ELSEWHERE
    if asked := sorted(unknown & record.model_fields_set):
        raise NotSayableError(
            f"{name} has {asked[0]!r}, which no engine can be asked for; compute it by "
            "'rates: {engine: {type: relational}}'"
        )


def _is_asked(record: Definition) -> str:
    """It is in the denominator, if its enterprise is."""
    reached = {0: "1 = 1", 1: "seen_days > 0", 2: "valid_days > 0 OR unproven_days > 0"}
    at_level = reached[record.denominator_level]
    return f"{_stands(record)} AND NOT ({_EXCUSE}) AND ({at_level})"


def _is_excused(record: Definition) -> str:
    """Only days on neither side keep it out of the denominator."""
    return f"{_stands(record)} AND {_EXCUSE}"


_EXCUSE = "service_days = 0 AND (stopped_days > 0 OR own_rest_days > 0)"


def _stands(record: Definition) -> str:
    """It is of the kind, in service at the end, and not new."""
    rules = ["end_days > 0", "is_new = 0"]
    if record.classes:
        codes = sorted(CLASSES.index(one) + 1 for one in record.classes)
        rules.append(f"class IN ({', '.join(map(str, codes))})")
    flags = {"digital": "digital = 1", "key": "key_equipment = 1"}
    return " AND ".join([*rules, *(flags[one] for one in record.only)])


def _lacks(record: Definition, answers: str) -> str:
    """What a machine of the denominator lacks, whatever dates are missing."""
    if record.measure == "digital":
        return "digital = 0"
    if record.measure == "answering":
        return f"NOT ({answers})"
    nothing = "valid_days = 0 AND unproven_days = 0"
    rule = record.continuity
    if rule is None:
        return nothing
    share, came = rule.percent_of_days, "valid_days > 0 AND valid_days * 100"
    few = f"{came} < (service_days - undated_days) * {share:d}"
    silent = f"{came} >= service_days * {share:d} AND silent_days > {rule.within_days:d}"
    return f"({nothing}) OR ({few}) OR ({silent})"


def _is_dateless(record: Definition) -> str:
    """A date is missing without which a machine is not in the numerator."""
    missing = ["start_unknown = 1", "end_undated_days > 0"]
    if record.measure != "digital":
        missing.append("valid_days = 0 AND unproven_days > 0")
    if record.measure == "networked" and record.continuity is not None:
        missing.append(f"valid_days * 100 < service_days * {record.continuity.percent_of_days:d}")
    return " OR ".join(f"({one})" for one in missing)


def _number_of(rule: str) -> str:
    return f"sum(CASE WHEN {rule} THEN 1 ELSE 0 END)"


def _among(machines: Iterable[int]) -> str:
    """Whether a machine is one of some."""
    numbers = ", ".join(f"{one:d}" for one in sorted(machines))
    return f"machine IN ({numbers})" if numbers else "1 = 0"
