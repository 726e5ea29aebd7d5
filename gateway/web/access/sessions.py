"""Names of cookies, cross-site protection, which hosts a console answers to. Pure."""

import hmac
import re
import secrets
from collections.abc import Collection

from edge_config.models.plain import is_loopback_host

CSRF_COOKIE = "qulink_csrf"
_HOST = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", re.IGNORECASE | re.ASCII)


def session_cookie(listen: str) -> str:
    """Name of a console's session cookie: browsers share cookies between ports of a host.

    Args:
        listen: ``host:port`` of the console.
    """
    return f"qulink_session_{listen.rpartition(':')[2]}"


def same(given: str, expected: str) -> bool:
    """Compare secrets in constant time, whatever characters they hold."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def new_csrf() -> str:
    """A fresh value for the cookie that forms must repeat."""
    return secrets.token_urlsafe(24)


def host_allowed(header: str, listen_host: str | None, hosts: Collection[str]) -> bool:
    """Whether a Host header names this console.

    On loopback a page of a foreign name that resolves to 127.0.0.1 (DNS rebinding) is refused.

    Args:
        header: as it came.
        listen_host: the loopback host that the console listens on; None: it is open to the network.
        hosts: names under which the console is reached, as configured; none: on the network any.
    """
    if _HOST.fullmatch(header) is None:
        return False
    host = header if header.endswith("]") else header.partition("]")[0].partition(":")[0]
    if header.startswith("["):
        host = header[1 : header.index("]")]
    host = host.lower()
    if host in {name.lower() for name in hosts}:
        return True
    if listen_host is None:
        return not hosts
    return host == listen_host.lower() or is_loopback_host(host)


def safe_target(target: str) -> str:
    """Where a login may lead: a path of this site, never another site."""
    plain = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if plain and target.isprintable() else "/"
