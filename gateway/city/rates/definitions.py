"""Load definition records: those that come with the product and those a city adds."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

import yaml
from pydantic import Field

from edge_config.mistakes.problems import ConfigError
from gateway.city.rates.days.calendar_file import builtin_calendar, load_calendar
from gateway.city.rates.model import Definition, Question, StrictModel
from gateway.city.rates.records.file import OwnRecords, read_own

PACKAGE = "gateway.city.rates"


class DefinitionError(Exception):
    """A file of definition records is wrong, or an id is unknown."""


class _File(StrictModel):
    questions: dict[str, Question] = Field(default_factory=dict)
    definitions: tuple[Definition, ...] = ()
    earlier: tuple[Definition, ...] = ()


@cache
def _builtin() -> _File:
    text = files(PACKAGE).joinpath("definitions.yaml").read_text(encoding="utf-8")
    return _File.model_validate(yaml.safe_load(text))


@cache
def builtin_definitions() -> Mapping[str, Definition]:
    """The records of ``definitions.yaml`` by id, in its order; by the product's calendar."""
    calendar = builtin_calendar()
    return {one.id: one.counted_by(calendar) for one in _builtin().definitions}


def earlier_definitions() -> tuple[Definition, ...]:
    """Versions of the product's records that are computed with no more, but months are kept by."""
    return _builtin().earlier


def record_of(definition: Definition, digest: str) -> Definition | None:
    """The version of a record that a month was computed by; None: nobody has it any more.

    Args:
        definition: as it is now; a city's own one may have replaced that of the product.
        digest: :attr:`Definition.hash` of the version.
    """
    if definition.hash == digest:
        return definition
    records = (*_builtin().definitions, *earlier_definitions())
    found = (one for one in records if one.id == definition.id and one.hash == digest)
    return next(map(definition.restored, found), None)


def open_questions(definition: Definition) -> tuple[Question, ...]:
    """What the bureau has yet to answer about a definition (a city's own file included)."""
    known = _builtin().questions
    return tuple(known.get(name, Question(zh=name, en=name)) for name in definition.open_questions)


def load_definitions(extra: Path | None, calendar: Path | None) -> Mapping[str, Definition]:
    """The built-in records and those of a city's file; a new version may replace a built-in one.

    Args:
        extra: YAML with lists ``definitions``, ``approvals`` and ``targets``, as
            ``definitions.file`` of the city names it.
        calendar: YAML with arrangements of holidays, as ``calendar.file`` names it.

    Raises:
        DefinitionError: a file cannot be read or is wrong; with every mistake, by line.
    """
    try:
        days = load_calendar(calendar)
    except ConfigError as error:
        raise DefinitionError(str(error)) from error
    known = {one.id: one for one in _builtin().definitions}
    own = OwnRecords()
    try:
        own = read_own(extra, known, earlier_definitions()) if extra else own
    except ConfigError as error:
        raise DefinitionError(str(error)) from error
    known |= {one.id: one for one in own.definitions}
    return {
        name: one.counted_by(days).approved_with(own.approvals).aimed_by(own.targets)
        for name, one in known.items()
    }


def definition_of(definitions: Mapping[str, Definition], definition_id: str) -> Definition:
    """The record with an id.

    Raises:
        DefinitionError: there is none; says which there are.
    """
    try:
        return definitions[definition_id]
    except KeyError:
        known = ", ".join(definitions)
        raise DefinitionError(f"no definition {definition_id!r}; there are {known}") from None
