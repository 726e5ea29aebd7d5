"""Labels to print: the form that chooses machines, size and kind, and the file."""

import asyncio
import io
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qsl
from zipfile import ZipFile

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.city.access.principal import Scope
from gateway.city.console.asking import principal_of
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.identifiers.asked import Asked, asked_of
from gateway.city.console.pages.identifiers.assigning import PAGE_ROWS, chosen_of
from gateway.city.console.queries.database import Rows
from gateway.city.console.queries.identifiers import labelled_enterprises, labelled_page
from gateway.city.identifiers.labelled import labels_of
from gateway.identifier.labels.files import files
from gateway.identifier.labels.label import Label, Size
from gateway.web.pages import View

ADDRESS = "/identifiers/labels"
MOST = 500
"""Labels of one file; a sheet of A4 has about thirty."""
SIZES = ("50x30", "40x25", "60x40", "80x50", "30x15")
KINDS = {"pdf": "application/pdf", "png": "image/png", "zpl": "text/plain; charset=utf-8"}
DPIS = (203, 300, 600)
_DRAWING = asyncio.Semaphore(1)
"""Sheets take a second of processor time: one at a time leaves the pages the rest."""


class LabelsPage:
    """The page and its file; what no node has confirmed is on neither."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context

    async def view(self, request: Request) -> View:
        """Enterprises to choose from, and the machines of the one that is chosen."""
        asked, read = asked_of(request), self._context.database.read
        scope = principal_of(request).scope
        rows, total = await self._page(asked, scope) if asked.uscc else ((), 0)
        data = {
            "enterprises": await read(labelled_enterprises, scope),
            "rows": rows,
            "total": total,
            "most": MOST,
            "asked": asked,
            "pages": max(1, -(-total // PAGE_ROWS)),
            "parts": max(1, -(-total // MOST)),
            "sizes": SIZES,
            "kinds": tuple(KINDS),
            "dpis": DPIS,
            "page_url": self._context.config.identifier.page_url,
        }
        return View("labels.html", data)

    async def _page(self, asked: Asked, scope: Scope) -> tuple[Rows, int]:
        page = (PAGE_ROWS, asked.page * PAGE_ROWS)
        return await self._context.database.read(labelled_page, scope, asked.uscc, *page)

    async def file(self, request: Request) -> Response:
        """The labels of those machines that were chosen, or of the whole enterprise.

        Raises:
            HTTPException: 400 no such size, kind or resolution, or more machines than a page has;
                404 no machine has a label.
        """
        try:
            given = dict(parse_qsl(request.url.query, max_num_fields=PAGE_ROWS + 10))
        except ValueError as error:
            raise HTTPException(400) from error
        size, kind, dpi = _form_of(given)
        page_url, asked = self._context.config.identifier.page_url, asked_of(request)
        wanted = (page_url, asked.uscc, chosen_of(given), MOST, asked.part * MOST)
        scope = principal_of(request).scope
        labels = await self._context.database.read(labels_of, scope, *wanted)
        if not labels:
            raise HTTPException(404)
        async with _DRAWING:
            name, body = await asyncio.to_thread(_drawn, labels, size, kind, dpi)
        saved = {"content-disposition": f'attachment; filename="{name}"'}
        media = KINDS[kind] if name.endswith(kind) else "application/zip"
        return Response(body, media_type=media, headers=saved)


def _form_of(given: dict[str, str]) -> tuple[Size, str, int]:
    try:
        size, dpi = Size.parse(given.get("size", SIZES[0])), int(given.get("dpi", DPIS[0]))
    except ValueError as error:
        raise HTTPException(400) from error
    kind = given.get("kind", "pdf")
    if kind not in KINDS or dpi not in DPIS:
        raise HTTPException(400)
    return size, kind, dpi


def _drawn(labels: Sequence[Label], size: Size, kind: str, dpi: int) -> tuple[str, bytes]:
    """Name and contents of one file; several sheets as pictures come in an archive."""
    made = list(files(labels, size, Path(f"labels.{kind}"), dpi))
    if len(made) == 1:
        return made[0][0].name, made[0][1]
    out = io.BytesIO()
    with ZipFile(out, "w") as archive:
        for path, body in made:
            archive.writestr(path.name, body)
    return "labels.zip", out.getvalue()
