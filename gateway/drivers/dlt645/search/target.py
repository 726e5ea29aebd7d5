"""Where a URL of a meter's line leads. Pure."""

from gateway.drivers.dlt645.codec import ANYBODY
from gateway.drivers.dlt645.config import Connection
from gateway.drivers.search import Target
from gateway.drivers.transport.urls import SERIAL, UrlForm

EXAMPLE = "tcp://192.0.2.7:4001?meter=112233445566"
FORM = UrlForm(
    devices="electricity meters",
    example=EXAMPLE,
    forms="tcp://host:port of a serial server or serial:///dev/ttyUSB0?baud=2400, and "
    "?meter=112233445566 unless one meter is alone there",
    model=Connection,
    carriers=("tcp", SERIAL),
)


def target(url: str) -> Target:
    """The connection that a URL means; without a meter the only one of its line.

    Other keys of the connection may follow behind ``?``, of a port its speed.

    Raises:
        ValueError: it is none; says how one is written.
    """
    found = FORM.read(url)
    meter = {"meter": found.keys.pop("meter", ANYBODY)}
    return Target({**found.way, **found.keys}, meter)
