"""Where a URL of a SIMATIC controller leads. Pure."""

from gateway.drivers.s7.config import Connection
from gateway.drivers.search import Target
from gateway.drivers.transport.urls import UrlForm

EXAMPLE = "tcp://192.0.2.7:102?rack=0&slot=1"
FORM = UrlForm("a SIMATIC controller", EXAMPLE, EXAMPLE, Connection)


def target(url: str) -> Target:
    """The connection that a URL means; other keys of it may follow behind ``?``.

    Raises:
        ValueError: it is none; says how one is written.
    """
    found = FORM.read(url)
    return Target({**found.way, **found.keys}, {})
