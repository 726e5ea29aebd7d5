"""Every frame counts once: lost answers, killed connections, two workers, full edges."""

import asyncio
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from edge_config.models.limits import MAX_LABEL, MAX_TAGS
from gateway.city.app import City
from gateway.city.db.tables import edge_books, gap, quarantine, tag_schema, watermark
from gateway.core.batch import Gap
from gateway.core.books import Counts
from gateway.core.days import day_of
from gateway.core.schema import Equipment, Kind, Schema, Tag
from gateway.core.status import Reason
from gateway.wire.frame import BodyEncoder, Header, seal
from gateway.wire.records import BooksRecord, GivenUp
from tests.support.broker import Mosquitto
from tests.support.city import (
    EPOCH,
    USCC,
    Sender,
    assembled,
    batch_of,
    city_config,
    city_on,
    proofs_of,
    rows_of,
    running,
    schema_of,
    sender,
)
from tests.support.waiting import until

FRAMES = 60


def now() -> int:
    return time.time_ns() // 1_000_000


def counted(city: City) -> tuple[int, int]:
    """Values in the watermarks, newest finished frame."""
    marks = rows_of(city, watermark)
    return (
        sum(row["values_committed"] for row in marks),
        max((row["upto"] for row in marks), default=0),
    )


async def proven_ms(city: City) -> int:
    """Milliseconds that evidence covers."""
    return sum(row["last_ms"] - row["first_ms"] + 1 for row in await proofs_of(city))


async def send_until_acked(gateway: Sender, frames: list[bytes]) -> None:
    """As an edge does: everything again until the city has acknowledged it."""
    while not any(ack.upto >= len(frames) for ack in gateway.acks):
        for frame in frames:
            await gateway.raw(frame)
        known = len(gateway.acks)
        await until(lambda known=known: len(gateway.acks) > known)  # type: ignore[misc]


def frames_of(schema: Schema, at: int, number: int = FRAMES) -> list[bytes]:
    encoder = BodyEncoder()
    return [
        seal(encoder.encode([schema, batch_of(schema, at + seq, 1.0)]), Header(EPOCH, seq, 1))
        for seq in range(1, number + 1)
    ]


async def test_connections_killed_in_the_middle_lose_nothing_and_count_nothing_twice(
    mosquitto: Mosquitto, tmp_path: Path, postgres_url: str
) -> None:
    schema, at = schema_of("speed"), now()
    async with (
        city_on(mosquitto.url, tmp_path, "gw-1", database={"url": postgres_url}) as city,
        sender(mosquitto.port, "gw-1") as gateway,
    ):
        kills = asyncio.create_task(asyncio.to_thread(_trouble, postgres_url))
        while not kills.done():
            for frame in frames_of(schema, at):
                await gateway.raw(frame)
                await asyncio.sleep(0.02)  # so that frames come in many rounds
        assert await kills > 0
        await send_until_acked(gateway, frames_of(schema, at))
        await until(lambda: counted(city) == (FRAMES, FRAMES))
        assert await proven_ms(city) == FRAMES
        assert await city.store.count(["gw-1"], 0, at + 1_000) == FRAMES


def _trouble(url: str) -> int:
    """End every session for a while, then let none in for a while; how many were ended."""
    server, _, name = url.rpartition("/")
    kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    killed = 0
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        for closed in (False, True):
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {not closed}")
            deadline = time.monotonic() + 2.5  # beyond the time after which the registry is read
            while time.monotonic() < deadline:
                killed += len(connection.execute(kill, (name,)).fetchall())
                time.sleep(0.03)
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    return killed


async def test_a_commit_whose_answer_was_lost_is_not_made_again(
    mosquitto: Mosquitto, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    schema, at = schema_of("speed"), now()
    async with (
        city_on(mosquitto.url, tmp_path, "gw-1") as city,
        sender(mosquitto.port, "gw-1") as gateway,
    ):
        await gateway.send(1, schema, batch_of(schema, at, 1.0))
        await gateway.acked(1)
        _lose_the_answer_once(city)
        await gateway.send(2, batch_of(schema, at + 1, 2.0))
        await gateway.acked(2)
        await until(lambda: counted(city) == (2, 2))
        assert await proven_ms(city) == 2  # of both, though the answer to one was lost
    assert "decided anew: 1 of 1 gateways have gone on" in caplog.text


def _lose_the_answer_once(city: City) -> None:
    """Fail after a transaction that finished a frame has really been committed."""
    run_now, left = city.database.run_now, [1]

    def losing(function: Any, *args: Any, **kwargs: Any) -> Any:
        result = run_now(function, *args, **kwargs)
        if function.__name__ == "commit" and left and left.pop():
            raise OperationalError("COMMIT", None, Exception("connection lost"))
        return result

    city.database.run_now = losing  # type: ignore[method-assign]


async def test_two_workers_on_the_same_gateways_count_once(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """As when a new worker is started before the old one has ended."""
    schema, at = schema_of("speed"), now()
    async with (
        city_on(mosquitto.url, tmp_path, "gw-1") as first,
        assembled(city_config(mosquitto.url, tmp_path)) as second,
        running(second),
        sender(mosquitto.port, "gw-1") as gateway,
    ):
        await send_until_acked(gateway, frames_of(schema, at))
        await until(lambda: counted(first) == (FRAMES, FRAMES))


async def test_an_edge_that_gave_up_many_frames_is_still_acknowledged(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """Each loss leaves a hole for ever: the acknowledgement must name the frames that came."""
    schema, at = schema_of("speed"), now()
    async with (
        city_on(mosquitto.url, tmp_path, "gw-1") as city,
        sender(mosquitto.port, "gw-1") as gateway,
    ):
        await gateway.send(1, schema, batch_of(schema, at, 1.0))
        await gateway.acked(1)
        for seq in range(3, 403, 2):
            await gateway.send(seq, batch_of(schema, at + seq, 1.0))
        await until(lambda: counted(city)[0] == 201)
        await gateway.send(501, batch_of(schema, at + 501, 1.0))
        await until(lambda: any((501, 501) in ack.ranges for ack in gateway.acks))
        named = {edge for ack in gateway.acks for span in ack.ranges for edge in span}
        assert named == {*range(3, 403, 2), 501}


async def test_a_frame_that_would_be_one_hole_too_many_comes_again_later(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.city.ingest.progress.MAX_RANGES", 2)
    schema, at = schema_of("speed"), now()
    async with (
        city_on(mosquitto.url, tmp_path, "gw-1") as city,
        sender(mosquitto.port, "gw-1") as gateway,
    ):
        await gateway.send(3, schema, batch_of(schema, at + 3, 1.0))
        await gateway.send(5, batch_of(schema, at + 5, 1.0))
        await gateway.acked_range(5)
        await gateway.send(7, batch_of(schema, at + 7, 1.0))
        await gateway.send(4, batch_of(schema, at + 4, 1.0))
        await gateway.acked_range(4)
        (mark,) = rows_of(city, watermark)
        assert (mark["upto"], mark["ranges"], mark["values_committed"]) == (0, "[[3,5]]", 3)
        await gateway.send(7, batch_of(schema, at + 7, 1.0))
        await gateway.acked_range(7)
        assert not rows_of(city, quarantine)


async def test_the_word_of_the_edge_closes_holes_and_nothing_is_taken_below(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    schema, at = schema_of("speed"), now()
    async with (
        city_on(mosquitto.url, tmp_path, "gw-1") as city,
        sender(mosquitto.port, "gw-1") as gateway,
    ):
        await gateway.send(2, schema, batch_of(schema, at + 2, 1.0))
        await gateway.send(9, GivenUp(4, 9), batch_of(schema, at + 9, 1.0))
        await until(lambda: any(ack.closed == 9 for ack in gateway.acks))
        assert gateway.acks[-1].upto == 3
        await gateway.send(6, batch_of(schema, at + 6, 1.0))  # late: the edge has booked it lost
        await gateway.send(10, GivenUp(10, 10), batch_of(schema, at + 10, 1.0))
        await gateway.acked(10)
        (mark,) = rows_of(city, watermark)
        assert (mark["upto"], mark["closed"], mark["values_committed"]) == (10, 10, 3)
        assert await city.store.count(["gw-1"], 0, 2**42) == 3


@pytest.mark.parametrize("word", [GivenUp(1, 3), GivenUp(2, 1), GivenUp(-1, 2)])
async def test_a_word_about_frames_to_come_is_quarantined(
    mosquitto: Mosquitto, tmp_path: Path, word: GivenUp
) -> None:
    async with (
        city_on(mosquitto.url, tmp_path, "gw-1") as city,
        sender(mosquitto.port, "gw-1") as gateway,
    ):
        await gateway.send(2, word)
        await until(lambda: bool(rows_of(city, quarantine)))
        (entry,) = rows_of(city, quarantine)
        assert "gives up frames below" in entry["reason"]


async def test_a_frame_that_holds_another_count_than_it_says_is_quarantined(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    """The edge books what the header says: buffered = stored + pending + dropped must hold."""
    schema, at = schema_of("speed"), now()
    async with (
        city_on(mosquitto.url, tmp_path, "gw-1") as city,
        sender(mosquitto.port, "gw-1") as gateway,
    ):
        await gateway.send(1, schema, batch_of(schema, at, 1.0))
        await gateway.acked(1)
        await gateway.send(2, batch_of(schema, at + 1, 2.0), values=5)
        await gateway.acked(2)
        (mark,) = rows_of(city, watermark)
        assert (mark["values_committed"], mark["values_quarantined"]) == (1, 5)
        (entry,) = rows_of(city, quarantine)
        assert entry["reason"] == "the header says 5 values, there are 1"
        assert await city.store.count(["gw-1"], 0, 2**42) == 1


async def test_what_is_let_in_fits_every_database(
    mosquitto: Mosquitto, tmp_path: Path, postgres_url: str
) -> None:
    """A row that PostgreSQL refuses would stop the round, and with it all gateways."""
    label, name, at = "界" * MAX_LABEL, "n" * 63, now()
    tag = Tag(name, Kind.FLOAT64, unit=label, role=label, label_zh="\0" * 9, label_en=label)
    machine = Equipment(USCC, "1", "A" * 64)
    schema = Schema("d" * 63, "g" * 63, "P" * 63, "controller", True, (machine,), (tag,), -(2**63))
    top = 2**63 - 1
    counts = Counts(due=top, ok=top, failed=top, skipped=top, suppressed=top, buffered=top)
    books = [
        BooksRecord.of("d" * 63, day_of(at), counts),
        BooksRecord.of("", day_of(0), Counts(dropped={"\0": top})),
    ]
    latest = 9_223_372_036_854
    holes = [
        Gap("d" * 63, "g" * 63, (name, "\0"), Reason.TIMEOUT, -latest, latest),
        Gap("", "", (), Reason.TIMEOUT, latest),
    ]
    async with (
        city_on(mosquitto.url, tmp_path, "gw-1", database={"url": postgres_url}) as city,
        sender(mosquitto.port, "gw-1") as gateway,
    ):
        batches = [batch_of(schema, time_ms, 1.0) for time_ms in (at, latest, -(2**63))]
        await gateway.send(1, schema, *batches, *books, *holes)
        await gateway.acked(1)
        assert len(rows_of(city, tag_schema)) == 1
        assert len(rows_of(city, edge_books)) == 2
        assert len([row for row in rows_of(city, gap) if row["cause"] == "timeout"]) == 2
        too_long = schema_of("speed", device="x" * 64)
        await gateway.send(2, too_long, batch_of(too_long, at, 1.0))
        await gateway.send(3, Gap("", "", ("t" * 64,), Reason.TIMEOUT, at))
        await gateway.send(4, Gap("", "", (), Reason.TIMEOUT, latest + 1))
        large = schema_of(*(f"t{i}" for i in range(MAX_TAGS + 1)))
        await gateway.send(5, large, batch_of(large, at, *range(MAX_TAGS + 1)))
        await gateway.acked(5)
        reasons = [row["reason"] for row in rows_of(city, quarantine)]
        for expected in ("the device 'xxx", "more than 63", "has the times", "20001 tags"):
            assert any(expected in reason for reason in reasons), expected
