"""Files that a visitor sends with a form, within limits, after the form's cross-site check."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from gateway.web.access import sessions

_FIELDS, _FIELD_BYTES = 8, 4_096
PATIENCE = 4
"""Of a request that is too large so many times the limit is taken in and thrown away: a browser
reads no answer before it has sent all."""


class TooLargeError(MultiPartException):
    """The files of a request are larger than they may be."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A form with files."""

    fields: Mapping[str, str]
    files: Sequence[UploadFile]


@asynccontextmanager
async def sent_by(request: Request, most_bytes: int, most_files: int) -> AsyncIterator[Sent]:
    """What a form sent; its files are there while the block runs.

    Args:
        request: a POST of ``multipart/form-data``.
        most_bytes: of the whole request.
        most_files: of them.

    Raises:
        HTTPException: 400 it is no such form, or no whole one; 403 it comes from no page of ours.
        TooLargeError: the files are too large.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise HTTPException(400)
    stream = _bounded(request, most_bytes)
    parser = MultiPartParser(
        request.headers,
        stream,
        max_files=most_files,
        max_fields=_FIELDS,
        max_part_size=_FIELD_BYTES,
    )
    try:
        form = await parser.parse()
    except TooLargeError:
        raise
    except (MultiPartException, ClientDisconnect) as error:
        raise HTTPException(400) from error
    try:
        yield _checked(request, form)
    finally:
        await form.close()


def _checked(request: Request, form: FormData) -> Sent:
    """What a form holds.

    Raises:
        HTTPException: 403 it comes from no page of ours.
    """
    parts = form.multi_items()
    files = [part for _, part in parts if isinstance(part, UploadFile) and part.filename]
    fields = {name: part for name, part in parts if isinstance(part, str)}
    cookie = request.cookies.get(sessions.CSRF_COOKIE, "")
    if not cookie or not sessions.same(fields.get("csrf", ""), cookie):
        raise HTTPException(403)
    return Sent(fields, files)


async def _bounded(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    """The octets of a request, of which there are not too many.

    Raises:
        TooLargeError: there are.
    """
    came = 0
    async for part in request.stream():
        came += len(part)
        if came <= most:
            yield part
        elif came > most * PATIENCE:
            break
    if came > most:
        raise TooLargeError(f"more than {most} octets")
