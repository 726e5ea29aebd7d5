"""The box's own page: devices, tags, reading, buffer, northbound. No database, no chart library."""

from gateway.edge.live.console.app import build
from gateway.edge.live.console.tools import Tools

__all__ = ["Tools", "build"]
