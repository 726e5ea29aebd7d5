"""What can be read from the live view: devices, links, tags, rates, backlog, northbound."""

from dataclasses import dataclass
from typing import Literal

from gateway.core.status import Quality, Reason
from gateway.drivers.extras import Notice

Link = Literal["starting", "up", "down"]
TagValue = float | int | bool | str | None


@dataclass(frozen=True, slots=True)
class TagLive:
    """The newest value of one tag.

    Attributes:
        name: what it is called: its name, behind its machine if others have one.
        label_zh: name for Chinese readers; may be empty.
        label_en: name for English readers; may be empty.
        unit: unit text, may be empty.
        role: ``value``, ``state``, ``counter`` or ``alarm``.
        group: group it is read with.
        value: newest value after processing; None if there is none or it is BAD.
        quality: GOOD, UNCERTAIN or BAD.
        reason: why it is not GOOD.
        time_ms: time of the value or of the fault, UTC milliseconds; 0: never.
        detail: what the device said of the fault, in words; mostly empty.
        raw: the newest value as the driver read it; None: it read none, or the device pushed it.
        asset_no: ledger number of its machine.
    """

    name: str
    label_zh: str
    label_en: str
    unit: str
    role: str
    group: str
    value: TagValue
    quality: Quality
    reason: Reason
    time_ms: int
    detail: str = ""
    raw: TagValue = None
    asset_no: str = ""


@dataclass(frozen=True, slots=True)
class DeviceLive:
    """One device as it stands now.

    Attributes:
        id: device id.
        endpoint: ``host:port`` or URL, for people.
        driver: name of its driver.
        profile: name of its machine profile.
        asset_no: ledger number of its machine.
        unit_name: what tells it from others at its endpoint, for people: ``unit 7``; may be empty.
        link: ``starting``, ``up`` or ``down``.
        cause: why it is down; NONE while up.
        detail: the fault in words; empty while up.
        fault: id of what is wrong with the whole device; its words and what to do stand under
            ``fault.<id>`` in the catalogues. Empty: nothing is. A device that is up may have one.
        readable: how many of its tags are not BAD.
        since_ms: when the link came into this state, UTC milliseconds.
        polls: readings (or deliveries) since start.
        failures: failed ones, lost connections and failed attempts to connect included.
        driver_bugs: exceptions that a driver should not have raised.
        uncertain: values since the start that were UNCERTAIN, by reason code.
        notices: what stands of it: how it differs from what was asked for, what was learnt.
        tags: newest values, group by group.
    """

    id: str
    endpoint: str
    driver: str
    profile: str
    asset_no: str
    unit_name: str
    link: Link
    cause: Reason
    detail: str
    fault: str
    readable: int
    since_ms: int
    polls: int
    failures: int
    driver_bugs: int
    uncertain: dict[str, int]
    notices: tuple[Notice, ...]
    tags: list[TagLive]


@dataclass(slots=True)
class LinkLoad:
    """How much of what several devices are reached by is used.

    Attributes:
        name: driver and endpoint, for people and as a label of metrics.
        members: ids of the devices that share it.
        turns: how many of them may be read at one time.
        busy_s: sum of the times for which turns were held, seconds since it was made.
        waited_s: time in which at least one device waited for its turn, seconds.
        is_overloaded: whether it cannot keep up.
    """

    name: str
    members: tuple[str, ...] = ()
    turns: int = 1
    busy_s: float = 0.0
    waited_s: float = 0.0
    is_overloaded: bool = False

    @property
    def devices(self) -> int:
        """How many share it."""
        return len(self.members)


@dataclass(frozen=True, slots=True)
class Rates:
    """How fast the edge reads, as a mean over the last seconds.

    Attributes:
        due_per_s: values due a second.
        ok_per_s: good values read a second.
        failed_per_s: values that failed a second.
        buffered_per_s: values that became durable a second.
        skipped: values of late ticks since start (a total, not a rate).
    """

    due_per_s: float
    ok_per_s: float
    failed_per_s: float
    buffered_per_s: float
    skipped: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for the city's acknowledgement.

    Attributes:
        frames: frames in the buffer.
        values: values in them.
        bytes: size of their bodies.
        last_seq: newest sequence number.
        epoch: epoch of the buffer, 16 hex digits.
        refused: why the disk takes no values now, in words; empty while it does.
    """

    frames: int = 0
    values: int = 0
    bytes: int = 0
    last_seq: int = 0
    epoch: str = ""
    refused: str = ""


@dataclass(frozen=True, slots=True)
class ClockLive:
    """What is known of the gateway's clock.

    Attributes:
        in_doubt: whether nobody has confirmed it; values are UNCERTAIN meanwhile.
        steady_since_ms: since when nobody has set it, UTC milliseconds; 0: not known.
        contradiction: how the city's clock contradicts it, and what to do; empty if it does not.
        contradictions: how often that began since start.
    """

    in_doubt: bool = False
    steady_since_ms: int = 0
    contradiction: str = ""
    contradictions: int = 0


@dataclass(frozen=True, slots=True)
class NorthboundLive:
    """The connection to the broker.

    Attributes:
        connected: whether a session stands.
        since_ms: since when, UTC milliseconds.
        error: why not connected, in words; empty while connected.
        sent: frames published since start.
        resent: of these, published again.
        acks: acknowledgements taken.
        ignored_acks: malformed or foreign ones.
        unanswered: why the city may not answer although the broker does, in words; empty while it
            answers or is not waited for.
    """

    connected: bool = False
    since_ms: int = 0
    error: str = ""
    sent: int = 0
    resent: int = 0
    acks: int = 0
    ignored_acks: int = 0
    unanswered: str = ""
