"""What weakens the figures, one finding a row."""

from datetime import datetime

from pydantic import Field
from starlette.requests import Request

from gateway.city.access.principal import Scope
from gateway.city.console.api.answers.saying import stamp
from gateway.city.console.api.declaring import ROWS, Asked, Operation, Said
from gateway.city.console.asking import principal_of
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.records import FILE_ROWS, Records

_TEXTS = ("finding", "uscc", "site_no", "asset_no", "name", "gateway", "detail", "time")


class Finding(Said):
    """Something that weakens the figures; what is null does not belong to its kind."""

    finding: str = Field(description="kind: quarantine, orphan, retired, clock.doubt, …")
    uscc: str | None
    site_no: str | None
    asset_no: str | None
    name: str | None
    gateway: str | None
    detail: str | None
    count: int | None
    time: str | None = Field(description="China Standard Time")


class QualitySaid(Said):
    """Findings."""

    scope: str
    as_of: datetime
    most_of_a_kind: int = Field(description="so many rows of a kind at most are told")
    data: list[Finding]


class QualityApi:
    """The operation about data quality.

    Args:
        context: of the console.
        records: what the page of data quality reads.
    """

    def __init__(self, context: ConsoleContext, records: Records) -> None:
        self._context = context
        self._records = records

    def operations(self) -> list[Operation]:
        """What can be asked for."""
        return [Operation("quality", "/quality", ROWS, Asked, QualitySaid, self.quality)]

    async def quality(self, request: Request, _asked: Asked) -> QualitySaid:
        """Everything that weakens the figures."""
        scope: Scope = principal_of(request).scope
        table = await self._records.weak(scope, FILE_ROWS)
        return QualitySaid(
            scope=str(scope),
            as_of=stamp(self._context.now_ms()),
            most_of_a_kind=FILE_ROWS,
            data=[
                Finding(**{name: row.get(name) or None for name in _TEXTS}, count=row.get("count"))
                for row in table.rows
            ],
        )
