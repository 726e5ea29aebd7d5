"""Sessions of a box in a small file beside its buffer: they survive a restart of the gateway.

The file holds hashes only: nobody who reads it can use a session. What the disk does not take is
kept in memory, because a page that tells of a full disk is needed most while the disk is full.
"""

import asyncio
import logging
from pathlib import Path

import msgspec

from gateway.core.days import MAX_AHEAD_MS
from gateway.durable import replace_file, sync_folder
from gateway.web.access.store import SESSION_S, digest_of, new_secret

_log = logging.getLogger(__name__)

FORMAT = 1
MOST_SESSIONS = 1_000
"""Of more the oldest end."""


def path_beside(buffer: Path) -> Path:
    """Where a box keeps its sessions: beside its buffer."""
    return buffer.with_name(buffer.name + ".sessions")


class _Content(msgspec.Struct, frozen=True):
    """The file.

    Attributes:
        format: see ``FORMAT``.
        token_digest: of the token that opened the sessions; another one ends them.
        opened_ms: when each was opened, UTC milliseconds, by the digest of its secret.
    """

    format: int
    token_digest: str
    opened_ms: dict[str, int]


HOLDER = "token"
"""Who a visitor of a box is: whoever has shown its token."""


class FileSessions:
    """Sessions of a box.

    Args:
        path: of the file; it need not exist.
        token: the console's.
    """

    is_by_name = False

    def __init__(self, path: Path, token: str) -> None:
        self._path = path
        self._token_digest = digest_of(token)
        self._opened_ms = self._read()
        self._is_failing = False
        self._writing = asyncio.Lock()

    async def open(self, address: str, now_ms: int) -> str:  # noqa: ARG002 - kept by others
        """Begin a session."""
        # Those of the future stay: they live again once the clock is right.
        kept = [one for one in self._opened_ms.items() if not _is_over(one[1], now_ms)]
        secret = new_secret()
        self._opened_ms = dict([*kept, (digest_of(secret), now_ms)][-MOST_SESSIONS:])
        await self._keep()
        return secret

    async def log_in(self, name: str, password: str, address: str, now_ms: int) -> None:
        """A box knows no users."""

    async def visitor(self, secret: str, now_ms: int) -> str | None:
        """Whoever has shown the token; None: it has not begun, or has ended."""
        opened_ms = self._opened_ms.get(digest_of(secret))
        return HOLDER if opened_ms is not None and _is_living(opened_ms, now_ms) else None

    async def end(self, secret: str, address: str, now_ms: int) -> None:  # noqa: ARG002 - as above
        """End it, also for the next start."""
        if self._opened_ms.pop(digest_of(secret), None) is not None:
            await self._keep()

    async def note_guesses(self, address: str, now_ms: int, name: str = "") -> None:
        """The log has it; a box keeps no other record."""

    def _read(self) -> dict[str, int]:
        try:
            content = msgspec.json.decode(self._path.read_bytes(), type=_Content)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            _log.warning(
                "cannot read the sessions of the box's page (%s): %s; everybody logs in anew",
                self._path,
                error,
            )
            return {}
        is_ours = (content.format, content.token_digest) == (FORMAT, self._token_digest)
        return content.opened_ms if is_ours else {}

    async def _keep(self) -> None:
        # One after the other, and each writes what holds when its turn has come: the last one
        # to write is never the one that knows least.
        async with self._writing:
            await asyncio.to_thread(self._write, dict(self._opened_ms))

    def _write(self, opened_ms: dict[str, int]) -> None:
        content = msgspec.json.encode(_Content(FORMAT, self._token_digest, opened_ms))
        try:
            replace_file(self._path, content)
        except OSError as error:
            self._say_failing(error, self._removed())
            return
        if self._is_failing:
            _log.info("sessions of the box's page are kept in %s again", self._path)
        self._is_failing = False

    def _removed(self) -> bool:
        """Remove the old file, which still has sessions that were ended; a full disk lets us."""
        try:
            self._path.unlink(missing_ok=True)
            sync_folder(self._path.parent)
        except OSError:
            return False
        return True

    def _say_failing(self, error: OSError, is_removed: bool) -> None:
        if not self._is_failing:
            _log.error(
                "cannot keep the sessions of the box's page in %s: %s; %s",
                self._path,
                error,
                "they end with this process"
                if is_removed
                else "after a restart ended ones may live again: change the token",
            )
        self._is_failing = True


def _is_living(opened_ms: int, now_ms: int) -> bool:
    # One that begins in the future was dated by a clock that has been set back since: it would
    # outlive its time by as much.
    return opened_ms <= now_ms + MAX_AHEAD_MS and not _is_over(opened_ms, now_ms)


def _is_over(opened_ms: int, now_ms: int) -> bool:
    return now_ms - opened_ms >= SESSION_S * 1000
