"""The login of an SNMS node: a hash of the day buys a token."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from gateway.identifier.calling import Caller, Reply
from gateway.identifier.password import login_password
from gateway.identifier.registering.asking import (
    LoginError,
    Told,
    nothing_done,
    secret_needed,
    understood,
)
from gateway.identifier.registering.registry import Outcome

_DAYS = (0, -1, 1)
"""The node has a clock of its own."""


class DailyLogin:
    """Tokens for one application identity; at most one login at a time.

    Args:
        caller: the node.
        path: where it logs in.
        username: the identity.
        secret: its secret; asked for at each login, so that it may be replaced meanwhile.
        today: the Asia/Shanghai day.
        meaning: what an answer means.

    Attributes:
        is_accepted: whether the last login was.
    """

    def __init__(
        self,
        caller: Caller,
        path: str,
        username: str,
        secret: Callable[[], str],
        today: Callable[[], date],
        meaning: Callable[[Reply], Told | None],
    ) -> None:
        self.is_accepted = False
        self._caller, self._path, self._meaning = caller, path, meaning
        self._username, self._secret, self._today = username, secret, today
        self._token = ""
        self._one_at_a_time = asyncio.Lock()

    async def header(self) -> dict[str, str]:
        """What goes with a request.

        Raises:
            LoginError: the node refuses, or cannot be asked.
        """
        async with self._one_at_a_time:
            if not self._token:
                self.is_accepted = False
                self._token = await self._new_token()
                self.is_accepted = True
            return {"Authorization": f"Bearer {self._token}"}

    def forget(self, header: Mapping[str, str]) -> bool:
        """A token is no longer taken; there is always another one to be had."""
        # Else another request has logged in anew meanwhile.
        if header.get("Authorization") == f"Bearer {self._token}":
            self._token = ""
        return True

    async def _new_token(self) -> str:
        for shift in _DAYS:
            told = await self._ask(self._today() + timedelta(days=shift))
            if told.outcome is Outcome.OK:
                return _token_of(told)
            if told.outcome in (Outcome.BUSY, Outcome.UNREACHABLE, Outcome.UNKNOWN):
                raise LoginError(nothing_done(told))
        why = f"{told.message}; user {self._username} is refused: check user name, secret and clock"
        raise LoginError(Told(Outcome.LOGIN, why))

    async def _ask(self, day: date) -> Told:
        with secret_needed():
            password = login_password(self._secret(), day)
        body = {"username": self._username, "password": password}
        reply = await self._caller.call("POST", self._path, json=body)
        return understood(reply, self._meaning, f"POST {self._caller.url}{self._path}")


def _token_of(told: Told) -> str:
    data: Any = told.body.get("data")
    token = data.get("token") if isinstance(data, dict) else None
    if isinstance(token, str) and token.isascii() and token.isprintable() and token.strip():
        return token
    why = "the node accepts the login, but gives no token"
    raise LoginError(Told(Outcome.UNREACHABLE, why))
