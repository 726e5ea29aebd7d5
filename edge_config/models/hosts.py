"""Names and addresses of hosts."""

from ipaddress import ip_address


def is_loopback_host(host: str) -> bool:
    """Whether a host is this machine, reached by nobody else.

    Args:
        host: name or IP address, without brackets.
    """
    try:
        return host.lower() == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
