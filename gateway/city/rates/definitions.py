"""Load definition records: those that come with the product and those a city adds."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError

from edge_config.mistakes.problems import ConfigError
from gateway.city.rates.days.calendar_file import builtin_calendar, load_calendar
from gateway.city.rates.model import Definition, Question, StrictModel

PACKAGE = "gateway.city.rates"


class DefinitionError(Exception):
    """A file of definition records is wrong, or an id is unknown."""


class _File(StrictModel):
    questions: dict[str, Question] = Field(default_factory=dict)
    definitions: tuple[Definition, ...] = ()


@cache
def _builtin() -> _File:
    text = files(PACKAGE).joinpath("definitions.yaml").read_text(encoding="utf-8")
    return _File.model_validate(yaml.safe_load(text))


@cache
def builtin_definitions() -> Mapping[str, Definition]:
    """The records of ``definitions.yaml`` by id, in its order; by the product's calendar."""
    calendar = builtin_calendar()
    return {one.id: one.counted_by(calendar) for one in _builtin().definitions}


def open_questions(definition: Definition) -> tuple[Question, ...]:
    """What the bureau has yet to answer about a definition (a city's own file included)."""
    known = _builtin().questions
    return tuple(known.get(name, Question(zh=name, en=name)) for name in definition.open_questions)


def load_definitions(extra: Path | None, calendar: Path | None) -> Mapping[str, Definition]:
    """The built-in records and those of a city's file; a new version may replace a built-in one.

    Args:
        extra: YAML with a list ``definitions``, as ``definitions.file`` of the city names it.
        calendar: YAML with arrangements of holidays, as ``calendar.file`` names it.

    Raises:
        DefinitionError: a file cannot be read or is wrong, by record and field or by line.
    """
    try:
        days = load_calendar(calendar)
    except ConfigError as error:
        raise DefinitionError(str(error)) from error
    known = {one.id: one for one in _builtin().definitions}
    for record in _read(extra) if extra else ():
        old = known.get(record.id)
        if old is not None and record != old and record.version <= old.version:
            raise DefinitionError(
                f"{extra}: {record.id} differs from version {old.version} of the product; "
                f"give it version {old.version + 1} or another id"
            )
        known[record.id] = record
    return {name: one.counted_by(days) for name, one in known.items()}


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


def _read(file: Path) -> tuple[Definition, ...]:
    try:
        content: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
        return _File.model_validate(content or {}).definitions
    except OSError as error:
        raise DefinitionError(f"cannot read definitions {file}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DefinitionError(f"{file} is no YAML in UTF-8: {error}") from error
    except ValidationError as error:
        raise DefinitionError(_problems(file, error)) from error


def _problems(file: Path, error: ValidationError) -> str:
    return "\n".join(
        f"{file}: {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()
    )
