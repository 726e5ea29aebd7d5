"""TLS towards a broker."""

import ssl

from edge_config.models.base import ClientTls


class _Socket(ssl.SSLSocket):
    """Closes itself when its handshake fails; the MQTT library forgets it then."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except BaseException:  # whatever it is, the socket must not stay open
            self.close()
            raise


def tls_context(config: ClientTls | None) -> ssl.SSLContext:
    """What ``tls:`` of a broker says; absent, the system's authorities and no certificate.

    Raises:
        OSError: a file cannot be read (``ssl.SSLError`` is one).
    """
    config = config or ClientTls()
    context = ssl.create_default_context(cafile=config.ca_file)
    context.sslsocket_class = _Socket
    if config.cert_file is not None:
        context.load_cert_chain(config.cert_file, config.key_file)
    return context
