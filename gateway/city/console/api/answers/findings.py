"""Findings that are kept: where each stands, and what was said of it."""

from datetime import datetime

from pydantic import Field
from starlette.requests import Request

from gateway.city.access.principal import Permission
from gateway.city.console.api.answers.saying import Stamp, Words, stamp
from gateway.city.console.api.declaring import ListAsked, Operation, Said
from gateway.city.console.api.paging import part
from gateway.city.console.asking import principal_of
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.checking.kept import FILE_ROWS, what_of
from gateway.city.rates.findings.kept.listing import KeptFinding, Wanted, listed

_ROWS = (Permission.FINDINGS, Permission.EXPORT)


class FindingsAsked(ListAsked):
    """Which findings."""

    state: str = Field("", pattern="^(open|explained|gone)?$")
    kind: str = Field("", max_length=32, examples=["same_times"])
    county: str = Field("", max_length=6, examples=["330822"])


class SaidOfIt(Said):
    """What an officer said last."""

    explains: bool = Field(description="false: it was opened again")
    reason: str
    document: str
    said_by: str
    said: datetime = Stamp
    upto: str = Field(description="month up to which it holds", examples=["2026-09"])


class FindingSaid(Said):
    """A finding: it is no proof, and changes no figure."""

    id: int
    state: str = Field(description="open, explained, or gone: in no month any more")
    kind: str
    uscc: str | None = Field(description="null: it is of a county")
    enterprise: str | None
    county: str | None
    machines: list[str] = Field(description="site/asset; '…' is not yours to see")
    numbers: dict[str, int] = Field(description="what it rests on")
    what: Words
    month: str = Field(description="the last one in which it is there", examples=["2026-09"])
    first_seen: datetime = Stamp
    last_seen: datetime = Stamp
    said: SaidOfIt | None


class FindingsSaid(Said):
    """Findings, open ones first."""

    scope: str
    as_of: datetime
    most: int = Field(description="so many are told at most")
    data: list[FindingSaid]
    next: str | None


class FindingsApi:
    """The operation about findings.

    Args:
        context: of the console.
    """

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context

    def operations(self) -> list[Operation]:
        """What can be asked for."""
        return [
            Operation("findings", "/findings", _ROWS, FindingsAsked, FindingsSaid, self.findings)
        ]

    async def findings(self, request: Request, asked: FindingsAsked) -> FindingsSaid:
        """Findings of who asks."""
        context, scope = self._context, principal_of(request).scope
        synthetic = context.config.demonstration
        wanted = Wanted(scope, synthetic, asked.state, asked.kind, asked.county)
        rows = await context.database.read(listed, wanted, FILE_ROWS)
        found, cursor = part(rows, lambda one: str(one.id), asked)
        return FindingsSaid(
            scope=str(scope),
            as_of=stamp(context.now_ms()),
            most=FILE_ROWS,
            data=[_said(one) for one in found],
            next=cursor,
        )


def _said(one: KeptFinding) -> FindingSaid:
    return FindingSaid(
        id=one.id,
        state=one.state.value,
        kind=one.kind.value,
        uscc=one.uscc or None,
        enterprise=one.enterprise or None,
        county=one.county or None,
        machines=list(one.machines),
        numbers=dict(one.numbers),
        what=Words(zh=what_of("zh", one), en=what_of("en", one)),
        month=one.month,
        first_seen=stamp(one.first_ms),
        last_seen=stamp(one.last_ms),
        said=_said_of_it(one),
    )


def _said_of_it(one: KeptFinding) -> SaidOfIt | None:
    said = one.said
    if said is None:
        return None
    return SaidOfIt(
        explains=said.explains,
        reason=said.reason,
        document=said.document,
        said_by=said.made_by,
        said=stamp(said.at_ms),
        upto=said.month,
    )
