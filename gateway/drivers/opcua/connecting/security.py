"""By which policy and mode a session is secured, and with whose certificates."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from asyncua import ua
from asyncua.crypto.security_policies import (
    SecurityPolicy,
    SecurityPolicyAes128Sha256RsaOaep,
    SecurityPolicyAes256Sha256RsaPss,
    SecurityPolicyBasic128Rsa15,
    SecurityPolicyBasic256,
    SecurityPolicyBasic256Sha256,
)

from gateway.drivers.api import RefusedError
from gateway.drivers.opcua.config import BROKEN, SECURED, Connection
from gateway.drivers.opcua.connecting.certificates import (
    OWN_CERTIFICATE_FILE,
    OwnCertificate,
    first_certificate,
    given_certificate,
    own_certificate,
    pinned_certificate,
    require_trust,
)
from gateway.drivers.opcua.connecting.client import GatewayClient
from gateway.drivers.opcua.connecting.endpoints import discover
from gateway.drivers.opcua.connecting.offers import matching, offered

_POLICIES: dict[str, type[SecurityPolicy]] = {
    "aes256_sha256_rsapss": SecurityPolicyAes256Sha256RsaPss,
    "basic256sha256": SecurityPolicyBasic256Sha256,
    "aes128_sha256_rsaoaep": SecurityPolicyAes128Sha256RsaOaep,
    "basic256": SecurityPolicyBasic256,
    "basic128rsa15": SecurityPolicyBasic128Rsa15,
}
"""The strongest first, as ``auto`` tries them; it tries none of those that are broken."""

_MODES = {
    "sign_and_encrypt": ua.MessageSecurityMode.SignAndEncrypt,
    "sign": ua.MessageSecurityMode.Sign,
}


class _Way(NamedTuple):
    """One way to secure a session."""

    policy: str
    mode: str

    def find(self, endpoints: Sequence[ua.EndpointDescription]) -> ua.EndpointDescription | None:
        """The server's endpoint for it; None if there is none."""
        return matching(endpoints, _MODES[self.mode], _POLICIES[self.policy].URI)


async def secure(client: GatewayClient, connection: Connection) -> str:
    """Choose policy and certificates; the server's is checked before anything is sent to it.

    Returns:
        What is weak about the way, as a sentence; empty: nothing.

    Raises:
        RefusedError: the server offers no such way, or a certificate is not trusted or unusable.
        Exception: any of ``faults.LIBRARY_ERRORS``, while the server is asked.
    """
    way, der = await _agreed(client, connection)
    own = await asyncio.to_thread(_check_and_load, der, connection)
    client.application_uri = own.application_uri
    shown = connection.certificate_file or connection.certificate_dir / OWN_CERTIFICATE_FILE
    client.own_certificate = str(shown)
    await client.set_security(
        _POLICIES[way.policy],
        own.certificate,
        own.key,
        server_certificate=der,
        mode=_MODES[way.mode],
    )
    return _weakness(way)


async def _agreed(client: GatewayClient, connection: Connection) -> tuple[_Way, bytes]:
    """The way, and the server's certificate: as it tells, or as it is pinned."""
    if not connection.discover:
        return next(_ways(connection)), await asyncio.to_thread(_pinned, connection)
    told = await discover(connection, client.frames)
    client.endpoints, client.server_time = told.endpoints, told.server_time
    for way in _ways(connection):
        endpoint = way.find(told.endpoints)
        if endpoint is not None:
            return way, first_certificate(endpoint.ServerCertificate or b"")
    wanted = " or ".join(dict.fromkeys(f"{way.policy}/{way.mode}" for way in _ways(connection)))
    raise RefusedError(
        f"connect to {connection.endpoint}: the server does not offer {wanted}; it offers "
        f"{offered(told.endpoints)}: set 'security' and 'security_mode' to one of them, or enable "
        "this one in the server"
    )


def _ways(connection: Connection) -> Iterator[_Way]:
    """What may be agreed on, the best first."""
    if connection.security != "auto":
        yield _Way(connection.security, connection.security_mode)
        return
    for mode in _MODES:
        yield from (_Way(policy, mode) for policy in _POLICIES if policy not in BROKEN)


def _weakness(way: _Way) -> str:
    if way.policy in BROKEN:
        return (
            f"secured by {way.policy}, which can be broken since 2017: enable one of "
            f"{', '.join(name for name in SECURED if name not in BROKEN)} in the server"
        )
    if way.mode == "sign":
        return "signed but not encrypted: whoever is on the network can read all values"
    return ""


def _pinned(connection: Connection) -> bytes:
    try:
        return pinned_certificate(connection.trust)
    except (OSError, ValueError) as error:
        raise RefusedError(
            f"connect to {connection.endpoint}: 'discover: false' takes the server's certificate "
            f"from server_certificate, {connection.trust}: {error}"
        ) from error


def _check_and_load(der: bytes, connection: Connection) -> OwnCertificate:
    """Trust in the server first, then our own certificate; what fails is for a person to mend."""
    try:
        rejected = connection.certificate_dir / "rejected"
        require_trust(der, connection.trust, rejected, connection.endpoint)
        return _own(connection)
    except (OSError, ValueError) as error:
        raise RefusedError(f"connect to {connection.endpoint}: certificates: {error}") from error


def _own(connection: Connection) -> OwnCertificate:
    if connection.certificate_file and connection.key_file:
        return given_certificate(connection.certificate_file, connection.key_file)
    return own_certificate(connection.certificate_dir)
