"""A driver that waits by itself: D-05."""

import asyncio

from broken_base import Sound


class Sleeps(Sound):
    """D-05."""

    async def connect(self) -> None:
        await asyncio.sleep(0)
        await super().connect()
