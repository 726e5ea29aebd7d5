"""The city's web console: overview, drill-down, gaps, quality, books, definitions, machines."""

from gateway.city.console.app import build
from gateway.city.console.context import ConsoleContext

__all__ = ["ConsoleContext", "build"]
