"""Pages of the box and their addresses."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp

from edge_config.models.gateway import GatewayConfig
from gateway.edge.live.console.metrics import registry_of
from gateway.edge.live.console.sessions import FileSessions, path_beside
from gateway.edge.live.console.traces import Traces
from gateway.edge.live.health import TOLERABLE, health
from gateway.edge.live.records import DeviceLive
from gateway.edge.live.view import DeviceRecord, Live
from gateway.web.application import compose
from gateway.web.assets import Assets
from gateway.web.formats import moment
from gateway.web.health import of_registry
from gateway.web.pages import Pages, Site, View
from gateway.web.tables import Table

TEMPLATES = Path(__file__).parent / "templates"
KINDS: Mapping[str, str] = {"up": "good", "down": "bad", "starting": "warn"}


def system_ms() -> int:
    """UTC milliseconds by the system's clock."""
    return time.time_ns() // 1_000_000


def build(live: Live, config: GatewayConfig, now_ms: Callable[[], int] = system_ms) -> ASGIApp:
    """The console as a guarded ASGI application.

    Args:
        live: what the edge knows.
        config: the gateway; its ``console`` must be set.
        now_ms: the clock, UTC milliseconds.

    Raises:
        ValueError: the configuration has no console.
        SecretUnavailableError: its token cannot be read, or is too short.
    """
    console = config.console
    if console is None:
        raise ValueError("the gateway's configuration has no 'console'")
    site = Site(
        name={"zh": config.gateway.id, "en": config.gateway.id},
        navigation=(("/", "nav.devices"),),
        demonstration=config.gateway.synthetic,
        secure=console.tls is not None,
        token=console.token is not None,
    )
    pages = Pages(site, Assets(), (TEMPLATES,))
    views = _Views(live, config, now_ms)
    routes = [
        Route("/", pages.endpoint(views.overview)),
        Route("/devices/{device}", pages.endpoint(views.device)),
    ]
    metrics, token = of_registry(registry_of(live)), console.access_token()
    kept = FileSessions(path_beside(config.buffer.path), token) if token is not None else None
    return compose(pages, console, routes, views.health, metrics, TOLERABLE, kept)


class _Views:
    """The view functions of the two pages."""

    def __init__(self, live: Live, config: GatewayConfig, now_ms: Callable[[], int]) -> None:
        self._live = live
        self._config = config
        self._now_ms = now_ms
        self._traces = Traces()

    async def overview(self, _request: Request) -> View:
        """Reading, buffer, northbound, devices."""
        live = self._live
        devices = live.records()
        data = {
            "identity": self._config.gateway,
            "devices": devices,
            "kinds": KINDS,
            "rates": live.rates(),
            "backlog": live.backlog(),
            "quota_bytes": int(self._config.buffer.quota_mib * 2**20),
            "books": live.books(),
            "clock": live.clock(),
            "northbound": live.northbound(),
            "sends": bool(self._config.northbound),
            "now_ms": self._now_ms(),
        }
        return View("edge.html", data, ("now", "devices"), 1.0, _device_table(devices))

    async def device(self, request: Request) -> View:
        """One device with all its tags."""
        device = self._live.device(request.path_params["device"])
        if device is None:
            raise HTTPException(404)
        now_ms = self._now_ms()
        data = {
            "device": device,
            "kind": KINDS[device.link],
            "curves": self._traces.extended(device.id, device.tags, now_ms),
            "now_ms": now_ms,
        }
        return View("device.html", data, ("state", "tags"), 1.0, _tag_table(device))

    async def health(self) -> dict[str, str]:
        """State of the parts for ``/healthz``."""
        return health(self._live, self._now_ms())


def _device_table(devices: list[DeviceRecord]) -> Table:
    return Table(
        name="devices",
        columns=("device", "driver", "endpoint", "asset_no", "link", "cause", "polls", "failures"),
        rows=[
            {
                "device": device.id,
                "driver": device.driver,
                "endpoint": device.endpoint,
                "asset_no": device.asset_no,
                "link": device.link,
                "cause": device.cause.code,
                "polls": device.polls,
                "failures": device.failures,
            }
            for device in devices
        ],
        notes={},
    )


def _tag_table(device: DeviceLive) -> Table:
    return Table(
        name=f"tags-{device.id}",
        columns=("tag", "group", "value", "unit", "quality", "reason", "detail", "time"),
        rows=[
            {
                "tag": tag.name,
                "group": tag.group,
                "value": tag.value,
                "unit": tag.unit,
                "quality": tag.quality.name.lower(),
                "reason": tag.reason.code,
                "detail": tag.detail,
                "time": moment(tag.time_ms),
            }
            for tag in device.tags
        ],
        notes={"device": device.id},
    )
