"""How lines reach an InfluxDB: batches, what an answer means, bisection of a bad batch.

What the answers of 1.x and 2.x mean (measured on real servers):

* 2xx – committed.
* 400, 422 – something in the batch is wrong; the rest may or may not be written. The batch is
  halved down to single lines, which are refused for good; writing a line twice changes nothing.
* 413 – too large; halved likewise.
* 401, 403, 404 – credentials, database or bucket: a person must act.
* 429, 503 and the other 5xx – later, at the server's own wish if it has one.
* 500 – mostly "later", but also what some bad bodies get. It is tried a few times; then a line of
  our own is written: if the server takes that one, the batch is to blame and is halved.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.city.stores.api import (
    Rejection,
    Rows,
    Series,
    StoreMisconfiguredError,
    StoreUnavailableError,
)
from gateway.city.stores.line_protocol import Line, encode

BATCH_LINES = 5_000
BATCH_BYTES = 8 * 1024 * 1024
SERVER_ERROR_TRIES = 3
_SERVER_ERROR_PAUSE_S = 0.1
_PROBE = Series("qulink_probe", "", "", "", "", "")

_MISCONFIGURED = (401, 403, 404)
_TOO_LARGE = 413
_BAD = (400, 413, 422)
_INTERNAL = 500


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
        return 200 <= self.status < 300  # noqa: PLR2004


class Endpoint(Protocol):
    """Where lines are posted to."""

    async def post(self, body: bytes) -> Answer:
        """Post lines with times in milliseconds.

        Raises:
            StoreUnavailableError: no answer in time.
        """


async def deliver(endpoint: Endpoint, rows: Sequence[Rows], where: str) -> list[Rejection]:
    """Write rows and return what was refused for good.

    Args:
        endpoint: the server.
        rows: what to write.
        where: names the server in errors.

    Raises:
        StoreUnavailableError: try the same rows again later.
        StoreMisconfiguredError: a person must act first.
    """
    encoded = await asyncio.to_thread(lambda: [encode(table) for table in rows])
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
    answer = await _post(endpoint, lines)
    for _ in range(SERVER_ERROR_TRIES - 1):
        if answer.status != _INTERNAL:
            break
        await asyncio.sleep(_SERVER_ERROR_PAUSE_S)
        answer = await _post(endpoint, lines)
    if answer.status == _INTERNAL:
        probe = Line(_PROBE, 0, 1, b"qulink_probe value=1i %d" % lines[-1].time_ms)
        if not (await _post(endpoint, (probe,))).good:
            raise _later(answer, where)
    return await _divide(endpoint, lines, answer, where)


async def _divide(
    endpoint: Endpoint, lines: Sequence[Line], answer: Answer, where: str
) -> list[Rejection]:
    """Halve a batch until what is refused is a single line."""
    if answer.good:
        return []
    if answer.status in _MISCONFIGURED:
        raise StoreMisconfiguredError(
            f"writing to {where}: {answer.status} {answer.message}; check credentials, "
            "database or bucket"
        )
    if answer.status not in (*_BAD, _INTERNAL):
        raise _later(answer, where)
    if len(lines) == 1:
        return [_rejection(lines[0], answer)]
    middle = len(lines) // 2
    rejections: list[Rejection] = []
    for half in (lines[:middle], lines[middle:]):
        rejections += await _divide(endpoint, half, await _post(endpoint, half), where)
    return rejections


async def _post(endpoint: Endpoint, lines: Sequence[Line]) -> Answer:
    return await endpoint.post(b"\n".join([line.body for line in lines]))


def _later(answer: Answer, where: str) -> StoreUnavailableError:
    return StoreUnavailableError(
        f"writing to {where}: {answer.status} {answer.message}", answer.retry_after_s
    )


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
