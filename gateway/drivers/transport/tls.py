"""TLS with certificates on both sides, as in MODBUS/TCP Security V21."""

import asyncio
import ssl
from dataclasses import dataclass
from typing import ClassVar

from gateway.drivers.api import NotConnectedError, RefusedError
from gateway.drivers.transport.endpoint import endpoint_of
from gateway.drivers.transport.settings import DeviceTls
from gateway.drivers.transport.way import MakeProtocol

_ALERTS = ("ALERT", "CERTIFICATE")
"""What OpenSSL's name of an error has if the other side, or we, refuse a certificate."""


@dataclass(frozen=True, slots=True)
class TlsWay:
    """See :class:`gateway.drivers.transport.way.Way`. TLS 1.2 or later; the host is verified."""

    is_datagrams: ClassVar[bool] = False

    host: str
    port: int
    tls: DeviceTls

    @property
    def endpoint(self) -> str:
        """``host:port/tls``."""
        return endpoint_of(self.host, self.port, "tls")

    async def open(self, make: MakeProtocol) -> asyncio.Transport:
        """Connect and shake hands; the files are read each time, so they may be renewed."""
        context, loop = context_for(self.tls), asyncio.get_running_loop()
        name = self.tls.server_name or self.host
        try:
            transport, _ = await loop.create_connection(
                make, self.host, self.port, ssl=context, server_hostname=name
            )
        except ssl.SSLCertVerificationError as error:
            raise RefusedError(_distrusted(error, name)) from error
        except ssl.SSLError as error:
            raise _failed(error) from error
        except (ConnectionResetError, ConnectionAbortedError) as error:
            raise NotConnectedError(
                "the device ended the TLS handshake: does it know the CA of cert_file?"
            ) from error
        except (OSError, UnicodeError) as error:
            raise NotConnectedError(str(error)) from error
        return transport


def context_for(tls: DeviceTls) -> ssl.SSLContext:
    """What TLS is spoken with.

    Raises:
        RefusedError: a file cannot be read or is not what it should be.
    """
    try:
        context = ssl.create_default_context(cafile=tls.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(tls.cert_file, tls.key_file)
    except (OSError, ssl.SSLError) as error:
        files = f"ca_file {tls.ca_file}, cert_file {tls.cert_file}, key_file {tls.key_file}"
        raise RefusedError(f"cannot read the certificates of tls ({files}): {error}") from error
    return context


def _distrusted(error: ssl.SSLCertVerificationError, name: str) -> str:
    return (
        f"the certificate that the device shows for {name!r} is refused: {error.verify_message}; "
        "see ca_file, server_name and the clocks of both"
    )


def _failed(error: ssl.SSLError) -> NotConnectedError | RefusedError:
    if any(word in (error.reason or "") for word in _ALERTS):
        return RefusedError(f"the device refuses the certificate in cert_file: {error.reason}")
    return NotConnectedError(f"no TLS ({error.reason or error}): does the port speak TLS?")
