"""What all devices of an edge share."""

from dataclasses import dataclass

from gateway.edge.device.alarms import Alarms
from gateway.edge.device.bookkeeping.restart import Restart
from gateway.edge.device.bookkeeping.ticks import Journal
from gateway.edge.device.clock import Clock
from gateway.edge.device.knowledge.keeper import KnowledgeKeeper
from gateway.edge.device.sinks import Sinks
from gateway.edge.device.timeouts import Timeouts
from gateway.edge.live.view import Live


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all devices of an edge share.

    Attributes:
        sinks: get what was read.
        journal: takes ticks that were not read, and gaps.
        live: is told of the links.
        restart: dates the stop of the gateway before this run.
        clock: the gateway's clock.
        alarms: wake devices at their ticks.
        timeouts: end readings that take too long.
        knowledge: of the devices' addresses, kept over restarts.
    """

    sinks: Sinks
    journal: Journal
    live: Live
    restart: Restart
    clock: Clock
    alarms: Alarms
    timeouts: Timeouts
    knowledge: KnowledgeKeeper
