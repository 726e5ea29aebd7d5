"""A ledger imported in the browser: files sent, looked at by a process, previewed, imported."""

import asyncio
import shutil
from collections.abc import Sequence
from typing import Literal

import msgspec
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.city.console.asking import principal_of, signature
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.identifiers.asked import demand_login
from gateway.city.console.pages.ledger.lists import ADDRESS
from gateway.city.console.pages.ledger.sent import Sent, TooLargeError, sent_by
from gateway.city.ledger.papers.sorts import SORTS
from gateway.city.ledger.sheet.hidden import Hidden
from gateway.city.ledger.sheet.reading import LIMITS
from gateway.city.ledger.sheet.values import effective_day
from gateway.city.ledger.uploading.kept import MARKED, NoTableError, Uploads, file_name
from gateway.city.ledger.uploading.outcome import LEDGER, Outcome, Upload
from gateway.city.ledger.uploading.running import Running
from gateway.city.ledger.uploading.templates import FILES, file_of
from gateway.city.ledger.uploading.work import Job
from gateway.core.days import day_of
from gateway.web import tables
from gateway.web.catalog.sentences import said
from gateway.web.forms import form_of
from gateway.web.i18n import Language
from gateway.web.pages import Pages, View, preferences

IMPORT = f"{ADDRESS}/import"
MOST_FILES = 4
MOST_BYTES = LIMITS.file_bytes + 65_536
"""Of a request: all files together may have what one may have, with the form around them."""
SHOWN = 200
"""Mistakes that the page lists; all are in its file."""
_MIB = 1_048_576
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ImportPages:
    """The form, an upload's page, and what is done with it."""

    def __init__(self, context: ConsoleContext, pages: Pages) -> None:
        self._context = context
        self._pages = pages
        self._uploads = Uploads(context.config.data_dir)
        self._running = Running(self._uploads)

    async def form(self, request: Request) -> View:
        """Templates to fill, and the form that sends files."""
        wished = request.query_params.get("table", "")
        return View("ledger_import.html", self._form("", wished))

    async def template(self, request: Request) -> Response:
        """An empty workbook or CSV file to fill."""
        name = request.path_params["name"]
        if name not in FILES:
            raise HTTPException(404)
        body = await asyncio.to_thread(file_of, name, preferences(request).language)
        kind = _XLSX if name.endswith(".xlsx") else "text/csv; charset=utf-8"
        return tables.attachment(body, name, kind)

    async def send(self, request: Request) -> Response:
        """``POST``: keep the files, and begin to look at them.

        Raises:
            HTTPException: 400 no form of files, 403 foreign form, or a console without a login.
        """
        demand_login(self._context)
        try:
            async with sent_by(request, MOST_BYTES, MOST_FILES) as sent:
                key = await self._take(request, sent)
        except _RefusedError as refused:
            return self._refused(request, str(refused))
        except TooLargeError:
            return self._refused(request, "large", 413)
        self._start(request, key, is_agreed=False)
        return RedirectResponse(f"{IMPORT}/{key}", 303)

    async def _take(self, request: Request, sent: Sent) -> str:
        """Keep what was sent; gives its key.

        Raises:
            _RefusedError: nothing of it can be looked at.
        """
        who, now_ms = principal_of(request).name, self._context.now_ms()
        names, effective = _names(sent), _effective(sent.fields.get("effective", ""), now_ms)
        files = list(zip(names, sent.files, strict=True))
        key = await asyncio.to_thread(self._keep, who, now_ms, files)
        digest = await asyncio.to_thread(self._uploads.digest, key)
        language = preferences(request).language
        table = _table(sent.fields.get("table", ""))
        upload = Upload(
            who, now_ms, tuple(names), digest, _hidden(sent), effective, language, table=table
        )
        await asyncio.to_thread(self._uploads.keep, key, upload)
        return key

    async def show(self, request: Request) -> View:
        """How far it is; what would change; what is wrong; what was done."""
        key, upload = await self._own(request)
        step = self._running.step(key)
        checked, applied = await asyncio.to_thread(self._became, key)
        state = _state(checked, applied, is_running=step is not None)
        found = applied or checked
        data = {
            "address": f"{IMPORT}/{key}", "upload": upload, "state": state, "step": step,
            "found": found, "shown": found.problems[:SHOWN] if found else (),
            "today": day_of(self._context.now_ms()).isoformat(), "form_address": IMPORT,
            "sort": SORTS.get(upload.table),
        }  # fmt: skip
        follows = step is not None or request.headers.get("accept", "") == "text/event-stream"
        return View(
            "ledger_upload.html",
            data,
            live=("upload",) if follows else (),
            interval_s=1.0,
            table=_problem_table(found, preferences(request).language) if found else None,
            status=409 if state == "outdated" else 200,
        )

    async def marked(self, request: Request) -> Response:
        """The file as it was sent, with what is wrong in it."""
        key, upload = await self._own(request)
        try:
            body = await asyncio.to_thread(self._uploads.place(key, MARKED).read_bytes)
        except OSError:
            raise HTTPException(404) from None
        stem = upload.names[0].rpartition(".")[0]
        return tables.attachment(body, f"{stem}-marked.xlsx", _XLSX)

    async def again(self, request: Request) -> Response:
        """``POST``: look at the same files again, beside the ledger as it is now."""
        await form_of(request)
        key, upload = await self._own(request)
        found = _state(*await asyncio.to_thread(self._became, key), is_running=False)
        if self._running.step(key) or found == "done":
            return RedirectResponse(f"{IMPORT}/{key}", 303)
        again = msgspec.structs.replace(upload, is_agreed=False)
        await asyncio.to_thread(self._uploads.begin_again, key, again)
        self._start(request, key, is_agreed=False)
        return RedirectResponse(f"{IMPORT}/{key}", 303)

    async def apply(self, request: Request) -> Response:
        """``POST``: import exactly these files, into a ledger that is as it was shown.

        Raises:
            HTTPException: 403 foreign form, or a console without a login; 404 no such upload.
        """
        demand_login(self._context)
        fields = await form_of(request)
        key, upload = await self._own(request)
        checked = await asyncio.to_thread(self._uploads.outcome, key, "check")
        if upload.is_agreed or self._running.step(key):
            return RedirectResponse(f"{IMPORT}/{key}", 303)
        seen = (fields.get("digest"), fields.get("basis"))
        if checked is None or checked.problems or seen != (upload.digest, checked.basis):
            return self._refused(request, "other", 409)
        agreed = msgspec.structs.replace(upload, is_agreed=True)
        await asyncio.to_thread(self._uploads.keep, key, agreed)
        self._start(request, key, is_agreed=True)
        return RedirectResponse(f"{IMPORT}/{key}", 303)

    async def drop(self, request: Request) -> Response:
        """``POST``: throw the files away."""
        await form_of(request)
        key, _ = await self._own(request)
        if self._running.step(key) is None:
            await asyncio.to_thread(self._uploads.drop, key)
        return RedirectResponse(IMPORT, 303)

    def _start(self, request: Request, key: str, *, is_agreed: bool) -> None:
        scope, now_ms = principal_of(request).scope, self._context.now_ms()
        what: Literal["check", "apply"] = "apply" if is_agreed else "check"
        config, made_by = self._context.config, signature(request)
        self._running.start(Job(config, key, what, made_by, scope, now_ms))

    def _became(self, key: str) -> tuple[Outcome | None, Outcome | None]:
        """What was found when it was looked at, and what when it was imported."""
        return self._uploads.outcome(key, "check"), self._uploads.outcome(key, "apply")

    def _keep(self, who: str, now_ms: int, files: Sequence[tuple[str, UploadFile]]) -> str:
        self._uploads.sweep(now_ms)
        key = self._uploads.begin(who)
        for name, sent in files:
            with self._uploads.file(key, name).open("xb") as file:
                shutil.copyfileobj(sent.file, file)
        return key

    async def _own(self, request: Request) -> tuple[str, Upload]:
        """The upload that an address names.

        Raises:
            HTTPException: 404 there is none, or somebody else sent it.
        """
        key = request.path_params["key"]
        upload = await asyncio.to_thread(self._uploads.read, key)
        if upload is None or upload.who != principal_of(request).name:
            raise HTTPException(404)
        return key, upload

    def _refused(self, request: Request, why: str, status: int = 400) -> Response:
        return self._pages.render(request, View("ledger_import.html", self._form(why)), status)

    def _form(self, why: str, wished: str = "") -> dict[str, object]:
        return {
            "address": IMPORT, "why": why, "templates": FILES, "hidden": tuple(Hidden),
            "most_mib": LIMITS.file_bytes // _MIB, "most_files": MOST_FILES,
            "most_rows": LIMITS.rows, "may_send": self._context.config.console.has_login,
            "table": _table(wished), "sorts": SORTS,
        }  # fmt: skip


class _RefusedError(Exception):
    """Files cannot be looked at; the text is a key of the catalogue's ``upload.refused``."""


def _names(sent: Sent) -> list[str]:
    """What the files are called.

    Raises:
        _RefusedError: there are none, they are no tables, or two have one name.
    """
    try:
        names = [file_name(one.filename or "") for one in sent.files]
    except NoTableError as error:
        raise _RefusedError("ending") from error
    if not names:
        raise _RefusedError("none")
    if len({one.casefold() for one in names}) < len(names):
        raise _RefusedError("twice")
    return names


def _effective(text: str, now_ms: int) -> str:
    """The day that a person wrote, or nothing.

    Raises:
        _RefusedError: no change can hold from it.
    """
    try:
        day = effective_day(text, day_of(now_ms)) if text.strip() else ""
    except ValueError as error:
        raise _RefusedError("day") from error
    return str(day)


def _hidden(sent: Sent) -> str:
    given = sent.fields.get("hidden", "")
    return given if given in tuple(Hidden) else Hidden.REFUSE


def _table(given: str) -> str:
    return given if given in SORTS else LEDGER


def _state(checked: Outcome | None, applied: Outcome | None, *, is_running: bool) -> str:
    """What a page of an upload shows."""
    found = applied or checked
    if is_running:
        return "running"
    if found is None or found.fault:
        return "broken"
    if found.is_outdated:
        return "outdated"
    if found.problems:
        return "problems"
    return "done" if applied else "preview"


def _problem_table(found: Outcome, language: Language) -> tables.Table:
    rows: list[dict[str, tables.Cell]] = [
        {
            "file": one.file,
            "row": one.row or None,
            "column": one.column,
            "problem": said(one.message, language),
        }
        for one in found.problems
    ]
    names = ("file", "row", "column", "problem")
    heads = {one: f"upload.{one}" for one in names}
    return tables.Table("ledger-problems", names, rows, {"problems": found.count}, heads)
