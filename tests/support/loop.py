"""The event loop of tests: it ends with what its servers accepted."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast


class ServingLoop(asyncio.SelectorEventLoop):
    """Closes connections that its servers took in its last turns.

    The handler of such a connection was cancelled before it began, so nobody closes it, and
    ``asyncio`` does so from 3.12 on only. A connection that a client left open stays a fault.
    """

    def close(self) -> None:
        """Close the loop."""
        if not self.is_closed():
            self.run_until_complete(self._end_accepted())
        super().close()

    async def _end_accepted(self) -> None:
        transports = cast("Mapping[int, Any]", vars(self)["_transports"])
        accepted = [one for one in list(transports.values()) if one._server is not None]
        if not accepted:
            return
        for transport in accepted:
            transport.abort()
        await asyncio.sleep(0)  # they close in the loop's next turn
        handlers = asyncio.all_tasks() - {asyncio.current_task()}
        for handler in handlers:
            handler.cancel()
        await asyncio.gather(*handlers, return_exceptions=True)
