"""Tables of rates as workbooks, for the pages that show them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from gateway.city.console.asking import principal_of
from gateway.city.console.context import ConsoleContext
from gateway.city.rates.exports.explanation import Made, explanation
from gateway.city.rates.exports.revisions import revisions
from gateway.city.rates.exports.workbook import workbook
from gateway.city.rates.model import Definition
from gateway.web.pages import preferences
from gateway.web.tables import Table, attachment, file_name

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Files = Mapping[str, Callable[[], Awaitable[Response]]]


def workbooks(
    context: ConsoleContext,
    request: Request,
    table: Table,
    definition: Definition,
    month: str,
    *,
    names: bool = True,
) -> Files:
    """The further formats of a page's table; nothing is made before it is asked for.

    Args:
        context: of the console.
        request: for the page.
        table: its rates.
        definition: by which they are counted.
        month: ``YYYY-MM``.
        names: the revisions say who made them, to who sees the whole; not so in what is public.
    """
    return {"xlsx": partial(_made, context, request, table, definition, month, names)}


async def _made(
    context: ConsoleContext,
    request: Request,
    table: Table,
    definition: Definition,
    month: str,
    names: bool,
) -> Response:
    language, demonstration = preferences(request).language, context.config.demonstration
    made = Made(principal_of(request).name, context.now_ms())
    explained = explanation(table, definition, made, language)
    names = names and principal_of(request).scope.is_whole
    read = partial(revisions, demonstration=demonstration, names=names)
    changes = await context.database.read(read, definition.id, month)
    make = partial(workbook, table, explained, changes, language, demonstration=demonstration)
    body = await asyncio.to_thread(make)
    return attachment(body, f"{file_name(table, demonstration=demonstration)}.xlsx", XLSX)
