"""What visitors post, and whether one of our own pages sent it."""

from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from gateway.web.access import sessions


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a posted form, after its cross-site check.

    Raises:
        HTTPException: 400 it is no form, or no whole one; 403 it comes from no page of ours.
    """
    try:
        fields = dict(parse_qsl((await request.body()).decode("ascii"), max_num_fields=20))
    except (ValueError, ClientDisconnect) as error:
        raise HTTPException(400) from error
    cookie = request.cookies.get(sessions.CSRF_COOKIE, "")
    if not cookie or not sessions.same(fields.get("csrf", ""), cookie):
        raise HTTPException(403)
    return fields
