"""An end to what takes too long in all: a mail server that answers a letter at a time."""

import contextlib
import smtplib
import socket
import threading
from collections.abc import Iterator
from typing import Any


class Limit:
    """The time that one conversation may take.

    Attributes:
        server: whom it is with; known before the first answer is waited for.
        is_over: it has been cut.
    """

    def __init__(self) -> None:
        self.server: smtplib.SMTP | None = None
        self.is_over = False

    @contextlib.contextmanager
    def within(self, total_s: float) -> Iterator[None]:
        """Cut the connection, from another thread, once so many seconds have passed."""
        timer = threading.Timer(total_s, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _cut(self) -> None:
        self.is_over = True
        connection = self.server.sock if self.server is not None else None
        if connection is not None:
            with contextlib.suppress(OSError):  # it has just ended by itself
                connection.shutdown(socket.SHUT_RDWR)


class LimitedSmtp(smtplib.SMTP):
    """One that a limit can cut, while it waits for the greeting, too."""

    def __init__(self, limit: Limit, *given: Any, **named: Any) -> None:
        limit.server = self
        super().__init__(*given, **named)


class LimitedSmtps(smtplib.SMTP_SSL):
    """The same by TLS."""

    def __init__(self, limit: Limit, *given: Any, **named: Any) -> None:
        limit.server = self
        super().__init__(*given, **named)
