"""Secrets and addresses: none stands in a URL, and none travels in the clear unasked."""

import re
from ipaddress import ip_address
from urllib.parse import parse_qsl, urlsplit

_GUARDED = re.compile(
    r"passw|passphrase|\bpwd?\b|\bpass\b|token|secret|credential|api_?key|^[pu]$", re.IGNORECASE
)
_PASSWORD = re.compile(r"//(?!\[)[^/@:\s]*:(?!\d+(?:[/?#]|$))\S*@")
"""A name and a password before the host. One with ``/`` or ``@`` should be quoted, but libraries
take it as it is; behind a port such characters are of the path."""
_USERINFO = re.compile(rf"{_PASSWORD.pattern}|//[^/@\s]*@")
_PARAMETER = re.compile(r"([?&;](?:[^=&;\s]*)=)[^&;\s]+")


def is_loopback_host(host: str) -> bool:
    """Whether a host is this machine, reached by nobody else.

    Args:
        host: name or IP address, without brackets.
    """
    try:
        return host.lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def demand_no_secret(url: str) -> str:
    """A URL as it is, if nothing in it is a secret: what is in a URL ends up in logs and messages.

    Raises:
        ValueError: a password stands before the host, or a parameter is one.
    """
    if _PASSWORD.search(url):
        raise ValueError("the url holds a password; give it as 'password' by file or env")
    for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True):
        if _GUARDED.search(name):
            raise ValueError(
                f"the url holds a secret, its parameter {name!r}; give it as 'password' or 'token' "
                "by file or env"
            )
    return url


def without_secrets(text: str) -> str:
    """A text with whatever could be a secret in its URLs replaced by ``…``, for messages."""
    return _PARAMETER.sub(r"\1…", _USERINFO.sub("//…@", text))


def demand_private(url: str, *, has_secret: bool, allow_plain: bool) -> None:
    """Refuse to send a secret in the clear to another machine.

    Args:
        url: where to; a scheme that ends in ``s`` is private.
        has_secret: whether a password or token goes there.
        allow_plain: the operator has said that the way there is safe.

    Raises:
        ValueError: the secret would travel in the clear.
    """
    scheme, _, rest = url.partition("://")
    if not has_secret or allow_plain or scheme.endswith("s"):
        return
    if is_loopback_host(urlsplit(f"//{rest}").hostname or ""):
        return
    raise ValueError(
        f"the secret would travel in the clear to {urlsplit(f'//{rest}').hostname}: write "
        f"{scheme}s://, or 'allow_plain: true' if nobody else can listen on the way"
    )
