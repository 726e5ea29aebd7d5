"""Drivers are tested on the event loop on which they run in production."""

import asyncio
from collections.abc import Callable, Mapping

import uvloop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """One loop for every test of this folder."""
    return {"uvloop": uvloop.new_event_loop}
