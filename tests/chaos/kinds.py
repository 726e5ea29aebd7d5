"""Every kind of fault: what it does to what.

A kind is tried in runs. Each run has a plant of its own; its fault is committed again and again, at
random moments and with values flowing in between, until the run's time is over.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

from tests.chaos.faults import clock, disks, kills, network, quota
from tests.chaos.layout import Layout
from tests.chaos.plant import Plant

Fault = Callable[[Plant, Random], Awaitable[None]]

USUAL = Layout()
PRELOADED_EDGE = Layout(preloaded="edge")
PRELOADED_CITY = Layout(preloaded="city")
LINES = Layout(has_lines=True)
LINES_TO_INFLUX = Layout(has_lines=True, store="influxdb1")
LITTLE_ROOM = Layout(units=8, interval_ms=100, noise=110, quota_mib=1, has_lines=True)
FALSE_CLOCK = Layout(has_false_clock=True)


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


MIXED = Layout(preloaded="edge", has_lines=True)
INGREDIENTS = (
    kills.kill_edge,
    kills.kill_city,
    kills.kill_broker,
    kills.kill_all,
    kills.kill_in_a_write,
    kills.freeze,
    disks.refuse,
    network.disturb,
    network.disturb_devices,
    network.replay,
)


async def mixed(plant: Plant, chance: Random) -> None:
    """Any of these."""
    await chance.choice(INGREDIENTS)(plant, chance)


KINDS = {
    "kill-edge": Kind("kill -9 of the gateway", kills.kill_edge),
    "kill-city": Kind("kill -9 of the city", kills.kill_city),
    "kill-broker": Kind("kill -9 of the broker, which keeps nothing", kills.kill_broker),
    "kill-store": Kind("kill -9 of InfluxDB 1.x", kills.kill_store, Layout(store="influxdb1")),
    "kill-all": Kind("kill -9 of gateway, city and broker at once", kills.kill_all),
    "freeze": Kind("gateway, city or broker stands still for up to 8 s", kills.freeze),
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
    "quota": Kind(
        "acknowledgements get lost, then the city is away until the quota has dropped frames",
        quota.outlast,
        LITTLE_ROOM,
    ),
    "network": Kind(
        "gateway–broker or city–broker is cut, stalled, half closed or slow",
        network.disturb,
        LINES,
    ),
    "network-store": Kind("the same, and city–InfluxDB 1.x", network.disturb, LINES_TO_INFLUX),
    "network-devices": Kind("the same between gateway and devices", network.disturb_devices, LINES),
    "replay": Kind(
        "all messages of some seconds come again, some twice, out of order", network.replay
    ),
    "clock": Kind(
        "the gateway's clock is set by up to 25 h, and right again", clock.step, FALSE_CLOCK
    ),
    "mixed": Kind("any of the above that loses no written data, one after the other", mixed, MIXED),
}
