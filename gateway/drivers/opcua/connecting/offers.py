"""Endpoints that a server lists: which one fits, and what to call them."""

from collections.abc import Sequence

from asyncua import ua


def matching(
    endpoints: Sequence[ua.EndpointDescription], mode: ua.MessageSecurityMode, uri: str
) -> ua.EndpointDescription | None:
    """The first endpoint of a mode and a policy; None if there is none."""
    for endpoint in endpoints:
        if endpoint.SecurityMode == mode and endpoint.SecurityPolicyUri == uri:
            return endpoint
    return None


def offered(endpoints: Sequence[ua.EndpointDescription]) -> str:
    """All that is offered, as ``Basic256Sha256/SignAndEncrypt, None/None``."""
    return ", ".join(sorted({_name(endpoint) for endpoint in endpoints})) or "nothing"


def _name(endpoint: ua.EndpointDescription) -> str:
    policy = (endpoint.SecurityPolicyUri or "").rpartition("#")[2]
    return f"{policy}/{ua.MessageSecurityMode(endpoint.SecurityMode).name.rstrip('_')}"
