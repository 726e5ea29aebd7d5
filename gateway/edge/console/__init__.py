"""The box's own page: devices, tags, reading, buffer, northbound. No database, no chart library."""

from gateway.edge.console.app import build

__all__ = ["build"]
