"""How a device stands, in the words of a page: colour, what is wrong, and what to do."""

from collections.abc import Callable
from typing import NamedTuple

from gateway.core.status import Reason
from gateway.edge.live.view import DeviceLive, DeviceRecord
from gateway.web.i18n import Language, catalog, cause_words, fault_words, reason_advice

Said = Callable[[str, Language], str]
"""What code says in English, in the language of a page."""


class Trouble(NamedTuple):
    """What keeps a device from being read.

    Attributes:
        title: what is wrong; empty: nothing is.
        advice: what to do about it; may be empty.
    """

    title: str
    advice: str


def kind_of(device: DeviceRecord | DeviceLive, fault: str, *, is_whole: bool) -> str:
    """The colour of its state: a device is green only if all that it was asked for is read.

    Args:
        device: the device.
        fault: id of what is wrong with the whole of it; empty: nothing is.
        is_whole: whether none of its tags is BAD.
    """
    if device.cause is Reason.STOPPED:
        return "idle"
    if device.link == "down" or fault:
        return "bad"
    return "good" if device.link == "up" and is_whole else "warn"


def trouble_of(
    said: Said, device: DeviceRecord | DeviceLive, fault: str, language: Language
) -> Trouble:
    """What keeps the whole device from being read, more exactly than the cause of its gap."""
    unit = said(device.unit_name, language)
    found = Trouble(*fault_words(language, fault, device.endpoint, unit))
    if found.title or device.link != "down":
        return found
    return Trouble(cause_words(language, device.cause.code), "")


def step_title(step: str, language: Language) -> str:
    """What a step of a test is called; one of a driver that has no words stands for itself."""
    return catalog(language).get(f"test_step.{step}", step)


def tag_trouble_of(record: DeviceRecord, language: Language) -> list[tuple[Trouble, int]]:
    """Why single tags of a device that is up are BAD, and how many; the most frequent first."""
    return [
        (Trouble(cause_words(language, one.code), reason_advice(language, one.code)), count)
        for one, count in record.bad_reasons().items()
    ]


class Line(NamedTuple):
    """A device as its line shows it; each number is counted once.

    Attributes:
        record: the device.
        kind: colour of its state.
        fault: id of what is wrong with the whole of it; empty: nothing is.
        readable: how many tags are not BAD.
        tags: of how many.
    """

    record: DeviceRecord
    kind: str
    fault: str
    readable: int
    tags: int


def line_of(record: DeviceRecord) -> Line:
    """How a device stands now."""
    fault = record.fault_now()
    readable, tags = record.readable_count(), record.tag_count()
    kind = kind_of(record, fault, is_whole=not record.bad_reasons())
    return Line(record, kind, fault, readable, tags)
