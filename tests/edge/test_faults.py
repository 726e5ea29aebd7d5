"""The faults of single tags as the command line gets them: alike ones together, and bounded."""

import numpy as np

from gateway.cli.edge.device_command import _doubts
from gateway.core.outcome import Outcome
from gateway.core.schema import Equipment, Kind, Schema, Tag
from gateway.core.status import Reason, bad, uncertain
from gateway.drivers.api import TagFault
from gateway.edge.control.faults import MOST_NAMES, MOST_ROWS, faults_of, faulty_tags
from gateway.edge.live.devices import DeviceRecord

UNKNOWN, RANGE = bad(Reason.NODE_UNKNOWN), bad(Reason.RANGE)


def device(*status: int, id: str = "d", link: str = "up", **words: str) -> DeviceRecord:  # noqa: A002
    """A device whose tags t0, t1 … have these status bytes; words are what its driver says."""
    tags = tuple(Tag(f"t{at}", Kind.FLOAT64) for at in range(len(status)))
    schema = Schema(id, "g", "p", "sensor", False, (Equipment("u", "1", "m"),), tags, 1_000)
    record = DeviceRecord(id, "plc:502", "x", "p", "M", link=link)  # type: ignore[arg-type]
    record.add_group(schema)
    column = np.array(status, np.uint8)
    record.groups["g"].newest = Outcome(None, {}, column, (np.zeros(len(status)),), 1)
    faults = {tag: TagFault(Reason.NODE_UNKNOWN, said) for tag, said in words.items()}
    record.tag_faults = lambda: faults
    return record


def test_tags_that_fail_alike_are_one_row_in_the_drivers_words() -> None:
    record = device(0, UNKNOWN, UNKNOWN, RANGE, uncertain(Reason.CLOCK), t1="no a", t2="no a")
    other, one = faults_of([record])
    assert (one.cause, one.detail, one.advice) == ("node_unknown", "no a", "")
    assert (one.count, one.tags) == (2, ["t1", "t2"])
    assert (other.cause, other.count, other.tags) == ("range", 1, ["t3"])
    assert "minimum and maximum" in other.advice
    assert faulty_tags([record]) == 3


def test_words_that_only_name_the_request_are_told_with_what_to_do() -> None:
    record = device(bad(Reason.ILLEGAL_ADDRESS))
    said = TagFault(Reason.ILLEGAL_ADDRESS, "exception 2 to holding 500")
    record.tag_faults = lambda: {"t0": said}
    (row,) = faults_of([record])
    assert row.detail == "exception 2 to holding 500"
    assert "compare it with its manual" in row.advice


def test_words_of_another_fault_are_not_told() -> None:
    (row,) = faults_of([device(RANGE, t0="no such node")])
    assert (row.cause, row.detail) == ("range", "")


def test_a_device_that_is_down_has_a_cause_of_its_own() -> None:
    lost = device(UNKNOWN, link="down")
    assert not faults_of([lost])
    assert faulty_tags([lost]) == 0


def test_thousands_of_faults_are_counted_and_told_in_bounds() -> None:
    each = {f"t{at}": f"reason {at}" for at in range(5_000)}
    records = [
        device(*[UNKNOWN] * 5_000, id="many", **dict.fromkeys(each, "it is gone")),
        device(*[UNKNOWN] * 5_000, id="various", **each),
        device(RANGE, id="last"),
    ]
    rows = faults_of(records)
    assert len(rows) == MOST_ROWS
    assert all(len(row.tags) <= MOST_NAMES for row in rows)
    many = [row for row in rows if row.device == "many"]
    assert sum(row.count for row in many) == 5_000
    assert faulty_tags(records) == 10_001


def test_a_person_reads_what_is_wrong_and_how_much_is_not_told() -> None:
    status = {
        "uncertain": {"overflow": 1_200, "clock": 1},
        "faulty_tags": 1_300,
        "faults": [
            {
                "device": "d",
                "cause": "range",
                "detail": "",
                "advice": "see the scale",
                "count": 1_200,
                "tags": ["a", "b", "c", "d", "e", "f"],
            },
        ],
        "notices": ["d: it keeps 1 value"],
    }
    assert list(_doubts(status)) == [
        "uncertain 1,201 values since the buffer was made: overflow 1,200, clock 1",
        "bad       1,300 tags of devices that are up",
        "  d a, b, c, d, e and 1,195 more: range; see the scale",
        "  and 100 tags of further devices: see the pages of these",
        "notices",
        "  d: it keeps 1 value",
    ]
    empty = {"uncertain": {}, "faulty_tags": 0, "faults": [], "notices": []}
    assert not list(_doubts(empty))
