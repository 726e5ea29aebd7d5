"""What pages of the box show of a tag: never an old or empty value as a good one."""

import numpy as np
import pytest

from gateway.core.arrival.processor import GroupProcessor
from gateway.core.rules import TagRule, compile_rules
from gateway.core.schema import Equipment, Kind, Schema, Tag
from gateway.core.status import GOOD, Quality, Reason, bad
from gateway.drivers.api import TagFault
from gateway.edge.live.records import TagLive
from gateway.edge.live.view import DeviceRecord, Live

SCHEMA = Schema(
    "d", "g", "p", "controller", False, (Equipment("U", "1", "A"),), (Tag("t", Kind.STRING),), 1000
)
NOW = 1_790_000_000_000


class Shown:
    """One subscribed text in the live view."""

    def __init__(self) -> None:
        self.record = DeviceRecord("d", "here", "opcua", "p", "A", link="up")
        self.record.add_group(SCHEMA)
        self.live = Live()
        self.live.add_device(self.record)
        self.processor = GroupProcessor(SCHEMA, compile_rules([TagRule(Kind.STRING)]))

    def answered(self, status: int) -> TagLive:
        """The device has answered to the subscription."""
        outcome = self.processor.judge_items(np.array([status], np.uint8))
        self.live.processed("d", "g", outcome, None)
        return self.tag()

    def arrived(self, text: str) -> TagLive:
        """A value has come."""
        column = np.array([text], dtype=object)
        arguments = np.zeros(1, np.uint32), np.array([NOW]), (column,), np.zeros(1, np.uint8), NOW
        self.live.processed("d", "g", self.processor.process_arrivals(*arguments), None)
        return self.tag()

    def tag(self) -> TagLive:
        """The tag as it is shown."""
        device = self.live.device("d")
        assert device is not None
        return device.tags[0]


def test_an_item_that_never_reported_is_not_good() -> None:
    shown = Shown()
    before = shown.answered(GOOD)
    assert (before.value, before.quality) == (None, Quality.UNCERTAIN)
    came = shown.arrived("")
    assert (came.value, came.quality) == ("", Quality.GOOD)


def test_a_value_of_the_session_before_is_not_good() -> None:
    shown = Shown()
    shown.answered(GOOD)
    shown.arrived("old")
    assert shown.answered(GOOD).quality is Quality.UNCERTAIN
    assert shown.arrived("new").quality is Quality.GOOD


@pytest.mark.parametrize(
    ("reason", "link", "detail"),
    [(Reason.TYPE, "up", "is a Double"), (Reason.TIMEOUT, "up", ""), (Reason.TYPE, "down", "")],
)
def test_a_fault_is_shown_in_the_devices_words_while_they_hold(
    reason: Reason, link: str, detail: str
) -> None:
    shown = Shown()
    shown.record.tag_faults = lambda: {"t": TagFault(Reason.TYPE, "is a Double")}
    shown.record.link = link  # type: ignore[assignment]
    assert shown.answered(bad(reason)).detail == detail
    assert shown.answered(GOOD).detail == ""
