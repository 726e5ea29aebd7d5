"""Writing one value of a device, by the gate that all writes pass: seen first, then confirmed.

Only where the gateway allows writing, the tag allows it, and the page asks for a token.
"""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from edge_config.models.tag import TagConfig
from edge_config.models.wide import narrow
from gateway.edge.commands.record import Origin
from gateway.edge.control.command import REFUSALS
from gateway.edge.device.runtime import DeviceRuntime
from gateway.edge.live.console.tools import Results, Tools
from gateway.edge.live.naming import all_called
from gateway.web.access.admission import address_of
from gateway.web.forms import form_of
from gateway.web.pages import Pages, View
from gateway.wire.commands import Command, CommandAnswer

LONGEST = 200
"""Characters of a field that are taken."""
LONGEST_NAME = 40
"""Characters of a person's name in the record."""


class WritingPage:
    """The page of one tag; what became of the last write stays on it for a while.

    Args:
        tools: the devices, and the one way to write to them.
        pages: to show what a write would do.
        now_ms: the gateway's clock.
    """

    def __init__(self, tools: Tools, pages: Pages, now_ms: Callable[[], int]) -> None:
        self._tools = tools
        self._pages = pages
        self._done = Results[CommandAnswer](now_ms)

    def routes(self) -> list[Route]:
        """Its addresses."""
        path = "/devices/{device}/write/{tag:path}"
        return [
            Route(path, self._pages.endpoint(self.view), methods=["GET"]),
            Route(path, self.post, methods=["POST"]),
        ]

    async def view(self, request: Request) -> View:
        """The form, and what became of the last write."""
        runtime, tag = self._demand(request)
        return self._shown(runtime, tag, done=self._done.of(_place(runtime, tag)))

    async def post(self, request: Request) -> Response:
        """Show what a write would do; with the id of a command, which such a page has, do it."""
        fields = await form_of(request)
        runtime, tag = self._demand(request)
        value = narrow(fields.get("value", ""))[:LONGEST]
        who = fields.get("who", "").strip()[:LONGEST_NAME]
        if "id" not in fields:
            return self._pages.render(request, await self._preview(runtime, tag, value, who))
        command = Command(fields["id"][:LONGEST], runtime.record.id, tag.name, value, who=who)
        origin = Origin(f"page, from {address_of(request)}", has_times=False)
        writing = self._tools.writer.write(command, origin, lambda _: None)
        await self._done.keep(_place(runtime, tag), writing)
        return RedirectResponse(request.url.path, 303)

    async def _preview(self, runtime: DeviceRuntime, tag: TagConfig, value: str, who: str) -> View:
        asked: dict[str, Any] = {"value": value, "who": who}
        try:
            preview = await self._tools.writer.preview(runtime.record.id, tag.name, value)
        except REFUSALS as error:
            return self._shown(runtime, tag, refusal=str(error) or "no answer in time", **asked)
        # Whoever sends the form twice, or comes back to it, does not write twice.
        return self._shown(runtime, tag, preview=preview, id=uuid4().hex, **asked)

    def _demand(self, request: Request) -> tuple[DeviceRuntime, TagConfig]:
        runtime = self._tools.demand(request)
        tags = {one.name: one.renamed() for one in all_called(runtime.model.resolved)}
        found = tags.get(request.path_params["tag"])
        if found is None or not self._tools.may_write(found.config):
            raise HTTPException(404)
        return runtime, found.config

    def _shown(self, runtime: DeviceRuntime, tag: TagConfig, **more: Any) -> View:
        empty = {"value": "", "who": "", "id": "", "refusal": "", "preview": None, "done": None}
        least, most = tag.write_limits
        data = {
            "device": runtime.record,
            "tabs": self._tools.tabs(runtime),
            "tag": tag,
            "least": least,
            "most": most,
            **empty,
            **more,
        }
        return View("write.html", data)


def _place(runtime: DeviceRuntime, tag: TagConfig) -> str:
    return f"{runtime.record.id}/{tag.name}"
