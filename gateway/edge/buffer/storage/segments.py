"""Where the quota may cut a queue: in front of frames with which every tag is sent anew.

Report-by-exception rests on what was sent before. If the quota took that, and what follows stayed,
the city would show the state from before the loss until a tag moves: old, and GOOD.
"""

import sqlite3

PARTS = 16
"""A queue that grows is cut into so many segments, each of which begins with all values."""


class Segments:
    """The segments of a consumer's queue.

    Args:
        connection: of the buffer, to read what earlier processes have begun.
        flag: whose queue.
        next_seq: number of the next frame: at its start a gateway sends all values.
        quota_bytes: how large the queue may grow.
    """

    def __init__(
        self, connection: sqlite3.Connection, flag: int, next_seq: int, quota_bytes: int
    ) -> None:
        self._key = f"segments {flag}"
        query = "SELECT value FROM meta WHERE key = ?"
        (text,) = connection.execute(query, (self._key,)).fetchone() or ("",)
        self.begins = [*map(int, text.split()), next_seq]
        self._most_bytes = quota_bytes // PARTS
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        """Whether the newest one is so large that another should begin."""
        return self._bytes >= self._most_bytes

    def grow(self, added_bytes: int, held_bytes: int, oldest: int) -> None:
        """Frames were committed.

        Args:
            added_bytes: size of their bodies.
            held_bytes: size of all that wait: what is gone makes a segment smaller.
            oldest: number of the oldest frame that waits.
        """
        self._bytes = min(self._bytes + added_bytes, held_bytes)
        self.begins = [seq for seq in self.begins if seq > oldest]

    def note(self, connection: sqlite3.Connection, seq: int) -> None:
        """Keep that one begins with this frame; part of the caller's transaction."""
        text = " ".join(map(str, (*self.begins, seq)))
        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (self._key, text))

    def begin(self, seq: int) -> None:
        """From this frame on every tag is sent anew."""
        self.begins.append(seq)
        self._bytes = 0
