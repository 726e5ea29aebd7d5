"""What requests for the pages about identifiers may ask for."""

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request

from gateway.city.console.context import ConsoleContext

_PAGE_DIGITS = 6
_NUMBER_DIGITS = 7
_USCC = 18


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for.

    Attributes:
        uscc: of one enterprise; empty: of all.
        state: of the outbox; empty: of all that are open.
        page: from 0.
        part: of the labels of an enterprise, from 0.
        done: what a form that led here has done to how many; empty: none led here.
    """

    uscc: str
    state: str
    page: int
    part: int
    done: str


def asked_of(request: Request) -> Asked:
    """Read a request; what is none of ours counts as not asked for."""
    given = request.query_params
    page, part, done = (given.get(name, "") for name in ("page", "part", "done"))
    return Asked(
        given.get("enterprise", "").strip().upper()[:_USCC],
        given.get("state", ""),
        int(page) if is_number(page, _PAGE_DIGITS) else 0,
        int(part) if is_number(part, _PAGE_DIGITS) else 0,
        done if is_number(done, _NUMBER_DIGITS) else "",
    )


def is_number(text: str, digits: int) -> bool:
    """Whether a text is a number of at most so many digits."""
    return text.isascii() and text.isdecimal() and len(text) <= digits


def demand_login(context: ConsoleContext) -> None:
    """Refuse what only who has logged in may do.

    Raises:
        HTTPException: 403 nobody has, so anybody who reaches the console could.
    """
    if not context.config.console.has_login:
        raise HTTPException(403)
