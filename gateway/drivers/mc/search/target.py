"""Where a URL of a MELSEC controller leads. Pure."""

from gateway.drivers.mc.config import Connection, Frame
from gateway.drivers.search import Target
from gateway.drivers.transport.urls import UrlForm

EXAMPLE = "tcp://192.0.2.7:5007"
FORM = UrlForm(
    devices="a MELSEC controller",
    example=EXAMPLE,
    forms="tcp://host:port, with ?frame=4e or udp://host:port for 4E frames",
    model=Connection,
    carriers=("tcp", "udp"),
)


def target(url: str) -> Target:
    """The connection that a URL means; other keys of it may follow behind ``?``.

    Raises:
        ValueError: it is none; says how one is written.
    """
    found = FORM.read(url)
    udp = {"transport": "udp", "frame": Frame.E4.value} if found.carrier == "udp" else {}
    return Target({**found.way, **udp, **found.keys}, {})
