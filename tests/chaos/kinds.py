"""Every kind of fault: what it does to what.

A kind is tried in runs. Each run has a plant of its own; its fault is committed again and again, at
random moments and with values flowing in between, until the run's time is over.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

from tests.chaos.faults import disks, kills
from tests.chaos.plant import Layout, Plant

Fault = Callable[[Plant, Random], Awaitable[None]]

USUAL = Layout()
PRELOADED_EDGE = Layout(preloaded="edge")
PRELOADED_CITY = Layout(preloaded="city")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault.

    Attributes:
        what: one line for the table.
        fault: commits it once; at its end the cause is gone.
        layout: of the plant that it is committed on.
        is_rolled_back: whether the buffer, and its books with it, can be older than they were.
    """

    what: str
    fault: Fault
    layout: Layout = USUAL
    is_rolled_back: bool = False


KINDS = {
    "kill-edge": Kind("kill -9 of the gateway", kills.kill_edge),
    "kill-city": Kind("kill -9 of the city", kills.kill_city),
    "kill-broker": Kind("kill -9 of the broker, which keeps nothing", kills.kill_broker),
    "kill-store": Kind("kill -9 of InfluxDB 1.x", kills.kill_store, Layout(store="influxdb1")),
    "kill-all": Kind("kill -9 of gateway, city and broker at once", kills.kill_all),
    "write-edge": Kind(
        "SIGKILL of the gateway in its n-th write or sync, a third of them half written, "
        "often again while it starts",
        kills.kill_in_a_write,
        PRELOADED_EDGE,
    ),
    "write-city": Kind(
        "the same of the city, in its database and store", kills.kill_in_a_write, PRELOADED_CITY
    ),
    "refuse-edge": Kind(
        "all writes of the gateway's buffer fail for a while: EIO, ENOSPC or EROFS",
        disks.refuse,
        PRELOADED_EDGE,
    ),
    "refuse-city": Kind("the same of the city's database and store", disks.refuse, PRELOADED_CITY),
    "full-disk": Kind(
        "the gateway's disk is really full for a while", disks.fill, Layout(disk_mib=16)
    ),
    "torn": Kind(
        "the end of the buffer's log is cut off, zeroed or rubbish",
        disks.tear_log,
        is_rolled_back=True,
    ),
    "flipped": Kind(
        "one to eight bits of the buffer's main file are flipped",
        disks.flip_bytes,
        is_rolled_back=True,
    ),
    "restored-buffer": Kind(
        "the buffer is set back to an older copy", disks.restore_buffer, is_rolled_back=True
    ),
    "restored-city": Kind("the city's database alone is set back", disks.restore_database),
}
