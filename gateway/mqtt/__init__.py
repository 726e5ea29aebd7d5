"""What both sides share of MQTT: the session, what a lost one is called, TLS."""

from contextlib import suppress

from gateway.deferred import defer

defer("urllib.request")  # the library wants it for the proxies of websockets: 2 MiB of an edge
with suppress(ImportError):
    defer("dns.resolver")  # it looks brokers up by it where it is installed, which no one asks for
