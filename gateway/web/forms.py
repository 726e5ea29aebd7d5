"""What visitors post, and whether one of our own pages sent it."""

from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from gateway.web.access import sessions

MAX_FIELDS = 20
"""Of a form; one with a choice from a list says that it has more."""


async def form_of(request: Request, most: int = MAX_FIELDS) -> dict[str, str]:
    """The fields of a posted form, after its cross-site check.

    Args:
        request: a POST.
        most: fields that it may have.

    Raises:
        HTTPException: 400 it is no form, or no whole one; 403 it comes from no page of ours.
    """
    try:
        fields = dict(parse_qsl((await request.body()).decode("ascii"), max_num_fields=most))
    except (ValueError, ClientDisconnect) as error:
        raise HTTPException(400) from error
    cookie = request.cookies.get(sessions.CSRF_COOKIE, "")
    if not cookie or not sessions.same(fields.get("csrf", ""), cookie):
        raise HTTPException(403)
    return fields
