"""Who may see a console: the token, sessions, cross-site protection. Pure: clocks come in."""

import hashlib
import hmac
import secrets
from ipaddress import ip_address

CSRF_COOKIE = "qulink_csrf"
SESSION_S = 12 * 3600


def session_cookie(listen: str) -> str:
    """Name of a console's session cookie: browsers share cookies between ports of a host.

    Args:
        listen: ``host:port`` of the console.
    """
    return f"qulink_session_{listen.rpartition(':')[2]}"


def same(given: str, expected: str) -> bool:
    """Compare secrets in constant time, whatever characters they hold."""
    return hmac.compare_digest(given.encode(), expected.encode())


def open_session(token: str, now_s: int) -> str:
    """A cookie value that proves knowledge of the token for :data:`SESSION_S`, without holding it.

    Args:
        token: the console's token.
        now_s: UTC seconds.
    """
    expires = str(now_s + SESSION_S)
    return f"{expires}.{_sign(token, expires)}"


def session_valid(cookie: str, token: str, now_s: int) -> bool:
    """Whether a cookie value was made with this token and has not expired."""
    expires, _, signature = cookie.partition(".")
    return (
        expires.isdecimal()
        and len(expires) < 16  # noqa: PLR2004 - a bound against absurd numbers
        and same(signature, _sign(token, expires))
        and int(expires) > now_s
    )


def _sign(token: str, expires: str) -> str:
    return hmac.new(token.encode(), f"session {expires}".encode(), hashlib.sha256).hexdigest()


def new_csrf() -> str:
    """A fresh value for the cookie that forms must repeat."""
    return secrets.token_urlsafe(24)


def host_allowed(header: str, listen_host: str) -> bool:
    """Whether a Host header names a console that listens on loopback.

    A page of a foreign name that resolves to 127.0.0.1 (DNS rebinding) is refused.
    """
    host = header.rsplit(":", 1)[0] if not header.endswith("]") else header
    host = host.strip("[]").lower()
    if host in {"localhost", listen_host.lower()}:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def safe_target(target: str) -> str:
    """Where a login may lead: a path of this site, never another site."""
    plain = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if plain and target.isprintable() else "/"
