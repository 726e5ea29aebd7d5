"""Which months and definitions there are, and what was stored of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import Connection, Row, and_, select
from starlette.requests import Request

from gateway.city.console.api.answers.saying import Corrected, Words, corrected, stamp, words
from gateway.city.console.api.declaring import FIGURES, Asked, Operation, Said
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.choice import Choosing
from gateway.city.db.schema.daymaps import evidence_taking
from gateway.city.db.schema.rates import rate_correction, rate_result
from gateway.city.ledger.codes import Name
from gateway.city.rates.cells.dimensions import CITY
from gateway.city.rates.definitions import open_questions
from gateway.city.rates.frozen.results import Correction
from gateway.city.rates.model import Definition
from gateway.city.rates.period import months_between


class MonthsAsked(Asked):
    """Months of one definition."""

    definition: str = Field("", max_length=32, examples=["ENR-A"])


class Vintage(Said):
    """A stored result of a month."""

    definition: str
    vintage: int = Field(description="1, 2, …; the newest final one is shown")
    status: Literal["P", "F"]
    definition_hash: str
    computed: datetime
    correction: Corrected | None
    evidence_root: str | None = Field(description="told to who sees the whole city")


class Month(Said):
    """A month that can be asked for."""

    month: str
    running: bool = Field(description="it has not ended: its figures change")
    vintages: list[Vintage] = Field(description="in order; empty: nothing is stored of it")


class MonthsSaid(Said):
    """Months, the newest first."""

    data: list[Month]


class DefinitionSaid(Said):
    """A definition as it is now."""

    id: str
    version: int
    hash: str
    name: Words
    formula: Words
    source: Words
    published: bool = Field(description="its final months are published")
    open_questions: list[Words] = Field(description="what has yet to be decided")
    record: dict[str, Any] = Field(description="the whole record, as its file has it")


class DefinitionsSaid(Said):
    """Definitions."""

    headline: str = Field(description="id of the one that stands first")
    data: list[DefinitionSaid]


class MonthsApi:
    """Operations about what can be asked for.

    Args:
        context: of the console.
        choosing: which months there are.
    """

    def __init__(self, context: ConsoleContext, choosing: Choosing) -> None:
        self._context = context
        self._choosing = choosing

    def operations(self) -> list[Operation]:
        """What can be asked for."""
        return [
            Operation("months", "/months", FIGURES, MonthsAsked, MonthsSaid, self.months),
            Operation(
                "definitions", "/definitions", FIGURES, Asked, DefinitionsSaid, self.definitions
            ),
        ]

    async def months(self, request: Request, asked: MonthsAsked) -> MonthsSaid:
        """Every month of which something is known, with the results that are stored of it."""
        choice = await self._choosing.choice(request)
        demonstration = self._context.config.demonstration
        rows = await self._context.database.read(_vintages, demonstration)
        names = {asked.definition} if asked.definition else set(self._context.definitions)
        stored = [one for one in rows if one.definition in names]
        is_whole = choice.scope.is_whole
        return MonthsSaid(
            data=[
                Month(
                    month=month,
                    running=month == choice.running,
                    vintages=[_vintage(one, is_whole) for one in stored if one.month == month],
                )
                for month in reversed(months_between(choice.since, choice.running))
            ]
        )

    async def definitions(self, _request: Request, _asked: Asked) -> DefinitionsSaid:
        """All definitions."""
        known = self._context.definitions.values()
        headline = self._context.config.definitions.headline
        return DefinitionsSaid(headline=headline, data=[_definition(one) for one in known])


def _vintages(connection: Connection, demonstration: bool) -> Sequence[Row[Any]]:
    result, made, taking = rate_result.c, rate_correction.c, evidence_taking.c
    of_result = and_(
        made.definition == result.definition,
        made.month == result.month,
        made.vintage == result.vintage,
    )
    of_taking = and_(
        taking.month == result.month,
        taking.synthetic == result.synthetic,
        taking.number == result.taking,
    )
    query = (
        select(result.definition, result.month, result.vintage, result.status)
        .add_columns(result.definition_hash, result.computed_ms, taking.root)
        .add_columns(made.reason, made.note, made.corrected_by)
        .outerjoin(rate_correction, of_result)
        .outerjoin(evidence_taking, of_taking)
        .where(result.dimension == CITY, result.synthetic.is_(demonstration))
        .order_by(result.month, result.definition, result.vintage)
    )
    return connection.execute(query).all()


def _vintage(row: Row[Any], is_whole: bool) -> Vintage:
    correction = None
    if row.reason is not None:
        made = Correction(row.reason, row.note, row.corrected_by)
        correction = corrected(made if is_whole else made.in_part)
    return Vintage(
        definition=row.definition,
        vintage=row.vintage,
        status=row.status,
        definition_hash=row.definition_hash,
        computed=stamp(row.computed_ms),
        correction=correction,
        evidence_root=row.root if is_whole else None,
    )


def _definition(one: Definition) -> DefinitionSaid:
    return DefinitionSaid(
        id=one.id,
        version=one.version,
        hash=one.hash,
        name=words(Name(one.name_zh, one.name_en)),
        formula=words(Name(one.formula_zh, one.formula_en)),
        source=words(Name(one.source_zh, one.source_en)),
        published=one.measure == "networked",
        open_questions=[Words(zh=question.zh, en=question.en) for question in open_questions(one)],
        record=one.model_dump(mode="json"),
    )
