"""Read a city's file of definition records and approvals: every mistake at once, by line."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from edge_config.files.document import Document
from edge_config.files.yaml_file import read_document
from edge_config.mistakes.problems import ConfigError, Problem, hint
from gateway.city.ledger.codes import COUNTIES
from gateway.city.rates.model import Approval, Definition, StrictModel, Target

Record = TypeVar("Record", bound=StrictModel)

_PARTS = ("questions", "definitions", "approvals", "targets")


@dataclass(frozen=True, slots=True)
class OwnRecords:
    """What a city's file holds.

    Attributes:
        definitions: its records.
        approvals: who approved which record, its own or a built-in one.
        targets: what counties are to reach.
    """

    definitions: tuple[Definition, ...] = ()
    approvals: tuple[Approval, ...] = ()
    targets: tuple[Target, ...] = ()


def read_own(
    file: Path, builtin: Mapping[str, Definition], earlier: Sequence[Definition]
) -> OwnRecords:
    """The records and approvals of a city's file.

    Args:
        file: YAML with lists ``definitions``, ``approvals`` and ``targets``.
        builtin: the records of the product by id.
        earlier: versions of them that months were stored by, which were approved then.

    Raises:
        ConfigError: the file cannot be read or is wrong; with every mistake, by line.
    """
    document = read_document(file)
    problems = document.problems
    data = document.data if isinstance(document.data, dict) else {}
    if not isinstance(document.data, dict):
        problems.append(document.problem((), "must be a mapping with definitions: or approvals:"))
    for key in data:
        if key not in _PARTS:
            problems.append(document.problem((key,), f"unknown key{hint(key, _PARTS)}"))
    definitions = _records(document, "definitions", Definition, problems)
    approvals = _records(document, "approvals", Approval, problems)
    versions = {one.id: one for one in builtin.values()}
    for at, one in definitions.items():
        for words in _against(one, versions.get(one.id)):
            problems.append(document.problem(("definitions", at, "version"), words))
    problems.extend(_twice(document, definitions))
    known = [*earlier, *builtin.values(), *definitions.values()]
    for at, given in approvals.items():
        problems.extend(_of_no_record(document, at, given, known))
    problems.extend(_overlapping(document, approvals))
    targets = _records(document, "targets", Target, problems)
    problems.extend(_aimless(document, targets, [one.id for one in known]))
    if problems:
        raise ConfigError(problems)
    return OwnRecords(
        tuple(definitions.values()), tuple(approvals.values()), tuple(targets.values())
    )


def _records(
    document: Document, part: str, model: type[Record], problems: list[Problem]
) -> dict[int, Record]:
    """The records of a list that are right, by place."""
    written: Any = document.data.get(part) if isinstance(document.data, dict) else None
    if written is None:
        return {}
    if not isinstance(written, list):
        problems.append(document.problem((part,), "must be a list; begin each record with '- id:'"))
        return {}
    found = {}
    for at, one in enumerate(written):
        try:
            found[at] = model.model_validate(one)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                where = (part, at, *detail["loc"])
                problems.append(document.problem(where, _words(model, detail)))
    return found


def _words(model: type[StrictModel], detail: ErrorDetails) -> str:
    """What is wrong with one value, and what may be meant."""
    if detail["type"] == "extra_forbidden":
        inside = len(detail["loc"]) > 1
        return "unknown key" + ("" if inside else hint(detail["loc"][0], model.model_fields))
    if detail["type"] == "missing":
        return "is missing"
    words = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "literal_error":
        allowed = detail["ctx"]["expected"].replace(" or ", ", ").split(", ")
        words += hint(detail["input"], [one.strip("'") for one in allowed])
    return words


def _against(one: Definition, builtin: Definition | None) -> Iterator[str]:
    if builtin is not None and one != builtin and one.version <= builtin.version:
        yield (
            f"{one.id} differs from version {builtin.version} of the product; "
            f"give it version {builtin.version + 1} or another id"
        )


def _twice(document: Document, definitions: Mapping[int, Definition]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for at, one in definitions.items():
        if one.id in first:
            line = document.line(("definitions", first[one.id], "id"))
            words = f"{one.id} is in line {line} already; a file has one record of an id"
            yield document.problem(("definitions", at, "id"), words)
        first.setdefault(one.id, at)


def _of_no_record(
    document: Document, at: int, given: Approval, known: list[Definition]
) -> Iterator[Problem]:
    """An approval has to name a record, its version, and its text where it says that."""
    own = [one for one in known if one.id == given.id]
    if not own:
        words = f"there is no definition {given.id!r}{hint(given.id, [one.id for one in known])}"
        yield document.problem(("approvals", at, "id"), words)
    elif given.version not in {one.version for one in own}:
        versions = ", ".join(sorted({str(one.version) for one in own}))
        words = f"{given.id} has no version {given.version}; there is {versions}"
        yield document.problem(("approvals", at, "version"), words)
    elif not any(given.is_of(one) for one in own):
        hashes = ", ".join(one.hash[:16] for one in own if one.version == given.version)
        words = f"another text was approved: {given.id} version {given.version} is {hashes}"
        yield document.problem(("approvals", at, "hash"), words)


def _overlapping(document: Document, approvals: Mapping[int, Approval]) -> Iterator[Problem]:
    for (one, first), (other, second) in combinations(approvals.items(), 2):
        same = (first.id, first.version) == (second.id, second.version)
        if same and first.overlaps(second):
            line = document.line(("approvals", one, "id"))
            words = f"is valid on days on which the approval in line {line} is, too"
            yield document.problem(("approvals", other, "valid_from"), words)


def _aimless(
    document: Document, targets: Mapping[int, Target], known: Sequence[str]
) -> Iterator[Problem]:
    """A target has to be of a known county and record, and the only one of its year on a day."""
    for at, given in targets.items():
        if given.id not in known:
            words = f"there is no definition {given.id!r}{hint(given.id, known)}"
            yield document.problem(("targets", at, "id"), words)
        if given.county not in COUNTIES:
            words = f"there is no county {given.county}; there are {', '.join(COUNTIES)}"
            yield document.problem(("targets", at, "county"), words)
    for (one, first), (other, second) in combinations(targets.items(), 2):
        same = (first.id, first.county, first.year) == (second.id, second.county, second.year)
        later = max(first.valid_from, second.valid_from)
        if same and first.holds_on(later) and second.holds_on(later):
            line = document.line(("targets", one, "county"))
            words = f"is in force on days on which the target in line {line} is, too"
            yield document.problem(("targets", other, "valid_from"), words)
