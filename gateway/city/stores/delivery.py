"""How lines reach an InfluxDB: batches, what an answer means, bisection of a bad batch.

What the answers of 1.x and 2.x mean (measured on real servers):

* 204 – committed.
* 400, 422 – something in the batch is wrong; the rest may or may not be written. The batch is
  halved down to single lines, which are refused for good; writing a line twice changes nothing.
  A server that says to have dropped every line of it is believed: a backlog older than the
  retention would else cost two requests a line.
* 413 – too large; halved likewise.
* 408, 429, 503 and the other 5xx – later, at the server's own wish if it has one.
* 500 – mostly "later", but also what some bad bodies get. It is tried a few times; then a line of
  our own is written: if the server takes that one, or finds fault with the line rather than with
  itself, the batch is to blame and is halved.
* 401, 403, 404 – credentials, database or bucket: a person must act. So with anything else, 200
  included: what says so is no InfluxDB but, for example, the login page of a proxy.
"""

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.city.stores.api import (
    Rejection,
    Rows,
    StoreError,
    StoreMisconfiguredError,
    StoreUnavailableError,
)
from gateway.city.stores.line_protocol import Line, encode
from gateway.city.stores.marks import Doubts

BATCH_LINES = 5_000
BATCH_BYTES = 8 * 1024 * 1024
SERVER_ERROR_TRIES = 3
_SERVER_ERROR_PAUSE_S = 0.1

NO_INFLUXDB = "this is not the answer of an InfluxDB"
_COMMITTED = 204
_BAD = (400, 413, 422)
_LATER = (408, 429)
_INTERNAL = 500
_DROPPED = re.compile(r"partial write: .* dropped=(\d+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said to a write.

    Attributes:
        status: HTTP status.
        message: its explanation, shortened.
        retry_after_s: its ``Retry-After`` in seconds, if any.
    """

    status: int
    message: str = ""
    retry_after_s: float | None = None

    @property
    def good(self) -> bool:
        """Whether everything was committed."""
        return self.status == _COMMITTED

    @property
    def blames_lines(self) -> bool:
        """Whether the lines are at fault, not the server or its address."""
        return self.status in _BAD

    @property
    def dropped(self) -> int:
        """How many lines the server says that it has dropped; 0 if it does not say."""
        found = _DROPPED.search(self.message)
        return int(found[1]) if found else 0


class Endpoint(Protocol):
    """Where lines are posted to."""

    async def post(self, body: bytes) -> Answer:
        """Post lines with times in milliseconds.

        Raises:
            StoreUnavailableError: no answer in time.
        """


async def deliver(
    endpoint: Endpoint, rows: Sequence[Rows], where: str, doubts: Doubts
) -> list[Rejection]:
    """Write rows and return what was refused for good.

    Args:
        endpoint: the server.
        rows: what to write.
        where: names the server in errors.
        doubts: what was written to this server before.

    Raises:
        StoreUnavailableError: try the same rows again later.
        StoreMisconfiguredError: a person must act first.
    """
    encoded = await asyncio.to_thread(lambda: [encode(table, doubts) for table in rows])
    rejections = [refusal for _, refused in encoded for refusal in refused]
    lines = [line for made, _ in encoded for line in made]
    for batch in batches(lines):
        rejections += await _send(endpoint, batch, where)
    return rejections


def batches(lines: Sequence[Line]) -> Iterator[Sequence[Line]]:
    """Cut lines into requests of at most 5,000 lines and 8 MiB."""
    start = size = 0
    for at, line in enumerate(lines):
        if at > start and (at - start >= BATCH_LINES or size + len(line.body) > BATCH_BYTES):
            yield lines[start:at]
            start, size = at, 0
        size += len(line.body) + 1
    if start < len(lines):
        yield lines[start:]


async def _send(endpoint: Endpoint, lines: Sequence[Line], where: str) -> list[Rejection]:
    """Write lines; what is refused is halved until only the lines to blame are left."""
    answer = await _post(endpoint, lines)
    if answer.good:
        return []
    if not answer.blames_lines and not await _is_poison(endpoint, lines, answer):
        raise _fault(answer, where)
    if len(lines) == 1 or answer.dropped == len(lines):
        return [_rejection(line, answer) for line in lines]
    middle = len(lines) // 2
    return [
        *await _send(endpoint, lines[:middle], where),
        *await _send(endpoint, lines[middle:], where),
    ]


async def _post(endpoint: Endpoint, lines: Sequence[Line]) -> Answer:
    """Post lines; an internal error is tried again a few times."""
    body = b"\n".join([line.body for line in lines])
    answer = await endpoint.post(body)
    for _ in range(SERVER_ERROR_TRIES - 1):
        if answer.status != _INTERNAL:
            break
        await asyncio.sleep(_SERVER_ERROR_PAUSE_S)
        answer = await endpoint.post(body)
    return answer


async def _is_poison(endpoint: Endpoint, lines: Sequence[Line], answer: Answer) -> bool:
    """Whether an internal error is the fault of these lines: a line of our own gets another."""
    if answer.status != _INTERNAL:
        return False
    # an answer that blames the probe clears the server, too: it could judge a line
    probe = await endpoint.post(b"qulink_probe value=1i %d" % lines[-1].time_ms)
    return probe.good or probe.blames_lines


def _fault(answer: Answer, where: str) -> StoreError:
    said = f"writing to {where}: {answer.status} {answer.message}"
    if answer.status in _LATER or answer.status >= _INTERNAL:
        return StoreUnavailableError(said, answer.retry_after_s)
    return StoreMisconfiguredError(f"{said}; check address, credentials, database or bucket")


def _rejection(line: Line, answer: Answer) -> Rejection:
    reason = f"{answer.status} {answer.message}"[:300]
    text = line.body[:65_536].decode("utf-8", "replace")
    return Rejection(line.series, line.time_ms, line.values, reason, text)


def retry_after(header: str | None) -> float | None:
    """Seconds of a ``Retry-After`` header; None for none or a date, which no server sends here."""
    try:
        return max(0.0, float(header)) if header is not None else None
    except ValueError:
        return None
