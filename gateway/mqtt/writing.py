"""When a session's socket can be written to, in place of the library's own way of finding out.

That tells the loop a number of the socket, a turn later. If the session has ended meanwhile, the
number is nobody's – an error in the log – or already another socket's: a device's, say, which then
could not write any more while the loop spins.
"""

import asyncio
from typing import Any

from paho.mqtt.client import Client as Paho


class Writing:
    """Writes what waits as soon as the socket takes it, as long as it is the session's.

    Args:
        client: the library's; told by it when something waits.
        ended: gets the fault of a socket that cannot be written to.
    """

    def __init__(self, client: Paho, ended: asyncio.Future[Any]) -> None:
        self._client = client
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        client.on_socket_register_write = self._waits

    def _waits(self, _client: Paho, _userdata: object, sock: Any) -> None:
        # Perhaps in a thread: the library connects in one.
        self._loop.call_soon_threadsafe(self._watch, sock)

    def _watch(self, sock: Any) -> None:
        now = self._client.socket()
        if now is not None and now is sock and now.fileno() >= 0:
            self._loop.add_writer(now.fileno(), self._write)

    def _write(self) -> None:
        try:
            self._client.loop_write()
        except Exception as error:  # noqa: BLE001 - whatever it is, the session is over
            if not self._ended.done():
                self._ended.set_exception(error)
