"""The buffer, as its outlets see it."""

import sqlite3
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Protocol

from gateway.core.schema import Schema
from gateway.edge.buffer.outgoing import Span
from gateway.edge.buffer.storage.forerunner import Forerunner


class Source(Protocol):
    """The buffer, as its outlets see it."""

    epoch: int
    last_seq: int
    frame_bytes: int
    forerunner: Forerunner

    def reads(self) -> AbstractContextManager[sqlite3.Connection]:
        """The reader, for one thread at a time."""

    def looks(self) -> AbstractContextManager[bool]:
        """Keep commits from dropping frames, if that is possible without waiting."""

    def schemas(self, ids: Iterable[str]) -> list[Schema]:
        """Schemas by their ids as 16 hex digits."""

    def let_hand_out(self, flag: int, upto: int) -> int:
        """Write down that frames up to this one may be handed out; how far that is allowed."""

    def begin_epoch(self, flag: int, spans: Iterable[Span]) -> None:
        """Begin a new epoch, because numbers of this one may have been used twice."""

    def confirmed(self) -> None:
        """The city has seen no frame that this buffer did not make."""
