"""A demonstration lets visitors in as one of its users, without a password. Nothing else does.

The address exists only where the configuration is that of a demonstration: it says so, names the
control of its simulated lines, listens on loopback and is reached by no name of a proxy. It lets in
only while that control answers, and only as users that the demonstration has made for this.
"""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from edge_config.models.base import is_loopback
from edge_config.models.city import CityConfig
from gateway.city.access.principal import Role
from gateway.city.access.sessions import CitySessions
from gateway.city.console.context import ConsoleContext
from gateway.city.console.control import DemonstrationControl
from gateway.web.access.admission import address_of, system_ms
from gateway.web.access.login import entered
from gateway.web.access.sessions import safe_target, session_cookie
from gateway.web.access.store import SessionsAwayError
from gateway.web.forms import form_of

ADDRESS: Final = "/demo/enter"
PREFIX = "demo-"
"""How names of users begin that the demonstration makes, one for each role."""


def guest(role: Role) -> str:
    """Name of the demonstration's user of a role."""
    return f"{PREFIX}{role}"


def has_guests(config: CityConfig) -> bool:
    """Whether a configuration is that of a demonstration that visitors may walk through."""
    console = config.console
    is_demonstration = config.demonstration and config.demonstration_control is not None
    is_reached_here_only = is_loopback(console.listen) and not console.hosts
    return is_demonstration and console.accounts and is_reached_here_only


def guest_roles(config: CityConfig) -> tuple[Role, ...]:
    """As which roles the login lets in by a button; none outside of a demonstration."""
    return tuple(Role) if has_guests(config) else ()


def guest_paths(config: CityConfig) -> tuple[str, ...]:
    """What is open to who has not logged in."""
    return (ADDRESS,) if has_guests(config) else ()


def guest_routes(context: ConsoleContext, kept: CitySessions) -> list[Route]:
    """The address of the buttons; none outside of a demonstration."""
    if not has_guests(context.config):
        return []
    return [Route(ADDRESS, _Door(context, kept).enter, methods=["POST"])]


class _Door:
    """Begins sessions of the demonstration's users."""

    def __init__(self, context: ConsoleContext, kept: CitySessions) -> None:
        self._context = context
        self._kept = kept
        self._secure = context.config.console.tls is not None
        self._control = DemonstrationControl(context.config.demonstration_control or "")

    async def enter(self, request: Request) -> Response:
        """Let a visitor in as a role.

        Raises:
            HTTPException: 403 foreign form; 404 no such role, no user of it, or no demonstration
                runs; 503 the database does not answer.
        """
        fields = await form_of(request)
        role = fields.get("role", "")
        if role not in set(Role) or await self._control.lines() is None:
            raise HTTPException(404)
        try:
            secret = await self._kept.enter(guest(Role(role)), address_of(request), system_ms())
        except SessionsAwayError as error:
            raise HTTPException(503) from error
        if secret is None:
            raise HTTPException(404)
        cookie = session_cookie(self._context.config.console.listen)
        return entered(safe_target(fields.get("next", "/")), secret, cookie, secure=self._secure)
