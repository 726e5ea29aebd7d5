"""The largest message that gets through to the city. Pure.

A broker of MQTT 5 says what it takes when it answers to CONNECT, or refuses with a reason. One of
MQTT 3.1.1 only hangs up. That is told from a bad network by sending the messages that were on
their way one at a time: if the same one ends several sessions alone, it is its size.
"""

PACKET_BYTES = 16
"""What MQTT adds to topic and message, at most."""

STRIKES = 3
"""Sessions that end with just one message on its way before its size is blamed."""

LEAST_BYTES = 4_096
"""No smaller message is blamed for the end of a session: any broker takes it."""


class MessageLimit:
    """What is known of the largest message, and which messages are on their way.

    Args:
        configured: largest message that the configuration wants, bytes.

    Attributes:
        bytes: the largest message to be sent now.
    """

    def __init__(self, configured: int) -> None:
        self._configured = configured
        self._learned = configured
        self._refused = configured + 1
        self._sent: dict[int, int] = {}
        self._suspects: set[int] = set()
        self._strikes = (0, 0)

    @property
    def bytes(self) -> int:
        """The largest message to be sent now."""
        return min(self._configured, self._learned, self._refused - 1)

    @property
    def waits(self) -> bool:
        """Whether nothing more may be sent until what is on its way has arrived."""
        return bool(self._suspects and self._sent)

    def connected(self, broker_limit: int | None) -> None:
        """A session begins.

        Args:
            broker_limit: the largest message that the broker says it takes; None: it says nothing.
        """
        self._learned = self._configured if broker_limit is None else broker_limit
        self._sent.clear()

    def sent(self, seq: int, size: int) -> None:
        """A message goes out."""
        self._sent[seq] = size

    def arrived(self, seq: int) -> None:
        """The broker has taken a message."""
        self._sent.pop(seq, None)
        self._suspects.discard(seq)
        if self._suspects and seq > max(self._suspects):  # they went out before it
            self._suspects.clear()

    def refused(self) -> None:
        """The broker says that a message was too large: of those on their way, the largest."""
        if self._sent:
            self._blame(max(self._sent.values()), 1)

    def swallowed(self, size: int) -> None:
        """The broker has confirmed messages of this size, and thrown them away."""
        self._blame(size, LEAST_BYTES)

    def hung_up(self) -> None:
        """The session has ended without a reason."""
        # Of several nobody knows which one it was: the next session sends them one by one.
        if len(self._sent) == 1:
            (seq,) = self._sent
            before, strikes = self._strikes
            self._strikes = (seq, strikes + 1 if seq == before else 1)
            if self._strikes[1] >= STRIKES and self._sent[seq] > LEAST_BYTES:
                self._blame(self._sent[seq], LEAST_BYTES)
                return
        self._suspects = set(self._sent) or self._suspects

    def _blame(self, size: int, least: int) -> None:
        # Half of it: the broker's limit is not known, and each try costs a session.
        self._refused = min(self._refused, max(size // 2, least) + 1)
        self._strikes = (0, 0)
        self._suspects.clear()
