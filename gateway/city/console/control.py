"""Start and stop the simulated lines of a demonstration, through the demonstration itself."""

import re
from dataclasses import dataclass

import httpx
import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.web.forms import form_of

TIMEOUT_S = 3.0
"""The demonstration runs on this machine; it answers at once or not at all."""
_LINE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Line(msgspec.Struct, frozen=True):
    """A simulated line."""

    id: str
    title_zh: str
    title_en: str
    running: bool


@dataclass(frozen=True, slots=True)
class DemonstrationControl:
    """Talks to ``demonstration_control`` of the configuration.

    Attributes:
        url: its base address, on loopback.
    """

    url: str

    async def lines(self) -> list[Line] | None:
        """The lines, or None while the demonstration does not answer."""
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client:
                answer = await client.get(f"{self.url}/lines")
                answer.raise_for_status()
                return msgspec.json.decode(answer.content, type=list[Line])
        except (httpx.HTTPError, msgspec.DecodeError):
            return None

    async def change(self, request: Request) -> Response:
        """``POST /demo/lines/{id}/{action}`` with the page's own form; leads back to its button.

        Raises:
            HTTPException: 403 foreign form; 404 no such line or action; 502 no answer.
        """
        await form_of(request)
        line, action = request.path_params["line"], request.path_params["action"]
        # Checked here, since both become part of an address that this process asks.
        if action not in {"start", "stop"} or not _LINE_ID.fullmatch(line):
            raise HTTPException(404)
        await self._post(f"{self.url}/lines/{line}/{action}")
        return RedirectResponse(f"/#line-{line}", 303)

    async def _post(self, address: str) -> None:
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client:
                answer = await client.post(address)
        except httpx.HTTPError as error:
            raise HTTPException(502) from error
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise HTTPException(404)
        if answer.is_error:
            raise HTTPException(502)
