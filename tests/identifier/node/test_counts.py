"""What was done, how often and how quickly."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.days import HOUR_MS
from gateway.identifier.node.keeping import audit, counts
from gateway.identifier.node.keeping.counts import MAX_BUCKET, Tally, What, bucket_of
from gateway.relational.database import Database
from tests.identifier.node.acting import NOW_MS

ASKED = What("native", "resolve", "ok")


def test_counts_add_up_by_hour_protocol_and_outcome(database: Database) -> None:
    tally = Tally()
    for _ in range(98):
        tally.add(ASKED, 0.000_1)
    taken = tally.taken()
    tally.put_back(taken)
    tally.add(ASKED._replace(outcome="not found"), 0.000_1)
    database.run_now(counts.write, tally.taken(), NOW_MS)
    tally.add(ASKED, 1.0)
    tally.add(What("snms", "register", "ok"), 0.5, 500)
    database.run_now(counts.write, tally.taken(), NOW_MS)
    database.run_now(counts.write, tally.taken(), NOW_MS)
    native, snms = database.run_now(counts.figures, NOW_MS)
    assert native.outcomes == {"ok": 99, "not found": 1}
    assert (native.total, snms.total) == (100, 500)
    assert 95 < native.p50_us < 125
    assert native.p99_us < 125
    assert database.run_now(counts.figures, NOW_MS + HOUR_MS) == []


def test_what_is_too_old_is_forgotten_and_nothing_else(database: Database) -> None:
    old_ms = NOW_MS - counts.KEPT_MS - HOUR_MS
    for at_ms in (old_ms, NOW_MS):
        database.run_now(counts.write, {(ASKED, 3): 1}, at_ms)
        database.run_now(audit.count_registered, "qz01", at_ms, 5)
    database.run_now(counts.forget, NOW_MS)
    database.run_now(audit.forget_registered, NOW_MS)
    (kept,) = database.run_now(counts.figures, 0)
    assert kept.total == 1
    assert database.run_now(audit.registered_today, "qz01", NOW_MS) == 5
    assert database.run_now(audit.registered_today, "qz01", old_ms) == 0


@given(st.floats(0, 10_000))
def test_a_time_is_in_its_bucket(elapsed_s: float) -> None:
    bucket = bucket_of(elapsed_s)
    assert 0 <= bucket <= MAX_BUCKET
    if 0 < bucket < MAX_BUCKET:
        us = elapsed_s * 1_000_000
        assert 2 ** (bucket / 4) * 0.999 <= us <= 2 ** ((bucket + 1) / 4) * 1.001
