"""What a table of rates means, in lines, as for the sheet 说明 of a workbook. Pure."""

from dataclasses import dataclass

from gateway.city.rates.model import Definition
from gateway.web.formats import moment
from gateway.web.i18n import Language, text
from gateway.web.tables import Cell, Table, spoken

Line = tuple[str, Cell]
"""What is said, and what of it."""


@dataclass(frozen=True, slots=True)
class Made:
    """Who made a file, and when: UTC milliseconds."""

    by: str
    at_ms: int


def explanation(table: Table, definition: Definition, made: Made, language: Language) -> list[Line]:
    """What is to be known of the figures of a table, beside its own notes.

    Args:
        table: with its notes: definition, month, status, vintage, as-of time, evidence root.
        definition: by which it was counted.
        made: the file.
        language: of all words.
    """
    say = definition.model_dump()
    notes = spoken(table, language).notes
    return [
        (text(language, "explained.name"), say[f"name_{language}"]),
        (text(language, "explained.formula"), say[f"formula_{language}"]),
        (text(language, "explained.source"), say[f"source_{language}"] or None),
        (text(language, "explained.scope"), _scope(definition, language)),
        *notes.items(),
        (text(language, "explained.days"), _days(definition, language)),
        (text(language, "explained.rounding"), text(language, "explained.rounds")),
        (text(language, "explained.empty"), text(language, "explained.empty_means")),
        (text(language, "explained.withheld"), text(language, "explained.withheld_means")),
        (text(language, "explained.made_by"), made.by),
        (text(language, "explained.made"), moment(made.at_ms)),
        (text(language, "explained.system"), text(language, "brand.full")),
    ]


def _scope(definition: Definition, language: Language) -> str:
    kind = text(language, f"definitions.scopes.{definition.scope.kind}")
    return f"{kind} {definition.scope.id}".strip()


def _days(definition: Definition, language: Language) -> str:
    rule = text(language, f"definitions.days.{definition.days}")
    if definition.days != "scheduled":
        return rule
    sources = " · ".join(f"{year} {one}" for year, one in definition.calendar.sources.items())
    return f"{rule} {text(language, 'definitions.calendar')} {sources}"
