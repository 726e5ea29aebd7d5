"""The first page: devices and what keeps each from being read; reading, buffer, northbound."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from edge_config.models.gateway import GatewayConfig
from gateway.edge.live.console.pages.standing import Line, line_of
from gateway.edge.live.view import DeviceRecord, Live
from gateway.web.pages import View
from gateway.web.tables import Cell, Table

_READ = frozenset({"good", "warn"})


@dataclass(frozen=True, slots=True)
class Overview:
    """The page.

    Attributes:
        live: what the edge knows.
        config: the gateway.
        now_ms: its clock.
        mistakes: what is hardly meant in its configuration, in sentences.
    """

    live: Live
    config: GatewayConfig
    now_ms: Callable[[], int]
    mistakes: tuple[str, ...]

    async def view(self, _request: Request) -> View:
        """What it shows now."""
        live = self.live
        devices = [line_of(record) for record in live.records()]
        data = {
            "identity": self.config.gateway,
            "mistakes": self.mistakes,
            "devices": devices,
            "read": sum(one.kind in _READ for one in devices),
            "rates": live.rates(),
            "backlog": live.backlog(),
            "quota_bytes": int(self.config.buffer.quota_mib * 2**20),
            "books": live.books(),
            "clock": live.clock(),
            "northbound": live.northbound(),
            "sends": bool(self.config.northbound),
            "now_ms": self.now_ms(),
        }
        return View("edge.html", data, ("now", "devices"), 1.0, _table(devices))


def _table(lines: list[Line]) -> Table:
    return Table(
        name="devices",
        columns=(
            *("device", "driver", "endpoint", "unit", "asset_no", "link", "cause", "fault"),
            *("readable", "tags", "polls", "failures"),
        ),
        rows=[_row(line.record, line) for line in lines],
        notes={},
    )


def _row(device: DeviceRecord, line: Line) -> dict[str, Cell]:
    return {
        "device": device.id,
        "driver": device.driver,
        "endpoint": device.endpoint,
        "unit": device.unit_name,
        "asset_no": device.asset_no,
        "link": device.link,
        "cause": device.cause.code,
        "fault": line.fault,
        "readable": line.readable,
        "tags": line.tags,
        "polls": device.polls,
        "failures": device.failures,
    }
