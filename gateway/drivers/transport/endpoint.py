"""How the far end of a way is written. Pure."""


def endpoint_of(host: str, port: int, transport: str = "tcp") -> str:
    """``host:port``, for TCP; other transports follow it, as in ``192.0.2.7:502/udp``.

    An IPv6 address stands in brackets.
    """
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return where if transport == "tcp" else f"{where}/{transport}"
