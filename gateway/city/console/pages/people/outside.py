"""Logging in by an OpenID Connect provider: to it and back, in one browser."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from cryptography.fernet import Fernet, InvalidToken
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from edge_config.models.people.console import CityConsoleConfig
from edge_config.models.people.oidc import OidcConfig
from gateway.city.access.audit import Action, note
from gateway.city.access.outside.knowing import NobodyError, known_by, link, lose
from gateway.city.access.outside.provider import (
    BACK,
    Begun,
    Provider,
    ProviderAwayError,
    ProviderRefusedError,
    begin,
)
from gateway.city.access.sessions import CitySessions
from gateway.city.access.users import UserError
from gateway.city.console.context import ConsoleContext
from gateway.web.access import sessions
from gateway.web.access.admission import address_of, system_ms
from gateway.web.access.login import entered
from gateway.web.access.store import SessionsAwayError
from gateway.web.pages import Pages, View

log = logging.getLogger(__name__)

ADDRESS = "/login/oidc"
BEGUN_S = 600
"""So long somebody may take to log in there."""
_COOKIE = "qulink_oidc"
_ACCOUNT = "/account"


class OutsidePage:
    """The way to the provider, and back.

    What a login was begun with travels in a sealed cookie of the browser that began it: nobody can
    be made to end another's, and nothing is kept here that visitors could fill.

    Args:
        context: of the console.
        pages: how a refusal looks.
        kept: sessions that are begun.
        config: which provider.
    """

    def __init__(
        self, context: ConsoleContext, pages: Pages, kept: CitySessions, config: OidcConfig
    ) -> None:
        self._context = context
        self._pages = pages
        self._kept = kept
        self._config = config
        self._provider = Provider(config, config.client_secret.reveal())
        self._seal = Fernet(Fernet.generate_key())
        self._cookie = sessions.session_cookie(context.config.console.listen)

    async def go(self, request: Request) -> Response:
        """``GET``: send a browser to the provider."""
        target = sessions.safe_target(request.query_params.get("next", "/"))
        begun = begin(target)
        try:
            address = await self._provider.address(begun)
        except (ProviderAwayError, ProviderRefusedError) as error:
            return self._refused(request, "away", target, error)
        return self._sealed(RedirectResponse(address, 303), begun)

    async def begun_connecting(
        self, name: str
    ) -> tuple[str, Callable[[Response], Response]] | None:
        """Where a user goes to be connected, and what the answer must bring; None: it is away.

        Args:
            name: of a user who has just proven to be it.
        """
        begun = begin(_ACCOUNT, name)
        try:
            address = await self._provider.address(begun)
        except (ProviderAwayError, ProviderRefusedError) as error:
            log.warning("connecting a user with %s: %s", self._config.issuer, error)
            return None
        return address, lambda response: self._sealed(response, begun)

    def _sealed(self, response: Response, begun: Begun) -> Response:
        response.set_cookie(
            _COOKIE,
            self._seal.encrypt(msgspec.json.encode(begun)).decode("ascii"),
            max_age=BEGUN_S,
            path=ADDRESS,
            secure=self._pages.site.secure,
            httponly=True,
            samesite="lax",  # the way back comes from another site
        )
        return response

    async def back(self, request: Request) -> Response:
        """``GET``: who comes back from the provider, and a session for them.

        Raises:
            HTTPException: 503 the city's database does not answer.
        """
        given = request.query_params
        begun = self._begun(request)
        if begun is None or not sessions.same(given.get("state", ""), begun.state):
            return self._refused(request, "begun", "/", None)
        if "code" not in given:
            said = ProviderRefusedError(f"it says {given.get('error', 'nothing')[:100]!r}")
            return self._unbelieved(request, "refused", begun, said)
        try:
            claims = await self._provider.claims(given["code"], begun, given.get("iss"))
        except ProviderAwayError as error:
            return self._unbelieved(request, "away", begun, error)
        except ProviderRefusedError as error:
            return self._unbelieved(request, "refused", begun, error)
        if begun.connects:
            return await self._connect(request, begun.connects, str(claims["sub"]))
        return await self._enter(request, begun.target, claims)

    async def _connect(self, request: Request, name: str, subject: str) -> Response:
        """Somebody who went there from the own account comes back to it, as that user still."""
        now_ms = self._context.now_ms()
        try:
            asking = await self._kept.visitor(request.cookies.get(self._cookie, ""), system_ms())
            if asking is None or asking.name != name:  # left, or put out meanwhile
                return self._came_back("begun")
            run = self._context.database.run
            await run(link, asking, self._config.issuer, subject, name, now_ms)
        except UserError as error:
            return self._came_back(error.refusal)
        except SessionsAwayError as error:
            raise HTTPException(503) from error
        return self._came_back("done")

    def _came_back(self, key: str) -> Response:
        """To the own account, which says what became of it."""
        response = RedirectResponse(f"{_ACCOUNT}?connecting={key}#outside", 303)
        response.delete_cookie(_COOKIE, path=ADDRESS)
        return response

    def _unbelieved(self, request: Request, key: str, begun: Begun, error: Exception) -> Response:
        if not begun.connects:
            return self._refused(request, key, begun.target, error)
        log.warning("connecting a user with %s: %s", self._config.issuer, error)
        return self._came_back(key)

    async def _enter(self, request: Request, target: str, claims: Mapping[str, Any]) -> Response:
        run, now_ms = self._context.database.run, self._context.now_ms()
        try:
            name = await run(known_by, self._config, claims, now_ms)
        except NobodyError as error:
            await run(lose, self._config.issuer, str(claims["sub"]), now_ms)
            self._kept.doubt()
            who, subject = address_of(request), str(claims["sub"])
            await run(note, now_ms, who, Action.LOGIN_REFUSED, subject, error.key)
            return self._refused(request, error.key, target, None)
        self._kept.doubt()  # a group may have another role than at the last login
        try:
            secret = await self._kept.open_outside(name, address_of(request), system_ms())
        except SessionsAwayError as error:
            raise HTTPException(503) from error
        response = entered(target, secret, self._cookie, secure=self._pages.site.secure)
        response.delete_cookie(_COOKIE, path=ADDRESS)
        return response

    def _begun(self, request: Request) -> Begun | None:
        """The login that this browser has begun; None: none, or too long ago."""
        sealed = request.cookies.get(_COOKIE, "").encode("ascii", "replace")
        try:
            return msgspec.json.decode(self._seal.decrypt(sealed, ttl=BEGUN_S), type=Begun)
        except InvalidToken:
            return None

    def _refused(
        self, request: Request, key: str, target: str, error: Exception | None
    ) -> Response:
        """The form of local passwords, which the provider is not needed for, and why."""
        if error is not None:
            log.warning("logging in by %s: %s", self._config.issuer, error)
        data = {"next": target, "wrong": False, "wait_s": 0, "by_name": True}
        view = View("login.html", data | {"outside_problem": key})
        return self._pages.render(request, view, 503 if key == "away" else 403)


def routes(page: OutsidePage) -> list[Route]:
    """The way to the provider, and back."""
    return [
        Route(ADDRESS, page.go, methods=["GET"]),
        Route(BACK, page.back, methods=["GET"]),
    ]


def outside_name(console: CityConsoleConfig) -> Mapping[str, str] | None:
    """What the button on the page to log in says, by language; None: there is no provider."""
    oidc = console.oidc
    return None if oidc is None else {"zh": oidc.name_zh, "en": oidc.name_en}
