"""Why there is no session with the broker, in one sentence that helps."""

import logging

from aiomqtt import MqttError
from paho.mqtt.reasoncodes import ReasonCode

from edge_config.models.base import SecretUnavailableError

_HINTS = {
    "certificate required": "the broker wants a certificate: set 'tls.cert_file' and "
    "'tls.key_file'",
    "alert handshake failure": "the broker wants a certificate: set 'tls.cert_file' and "
    "'tls.key_file'",
    "alert unknown ca": "the broker does not trust our certificate: check 'tls.cert_file'",
    "certificate verify failed": "we do not trust the broker's certificate: check 'tls.ca_file'",
    "wrong version number": "the broker does not speak TLS at this port: check 'url'",
}
"""What to do, by a part of OpenSSL's words."""


class Ear(logging.Logger):
    """A logger that writes nothing and keeps the newest error.

    The MQTT library tells some faults to its logger only, and writes a line at every attempt.
    """

    def __init__(self) -> None:
        super().__init__("mqtt", logging.ERROR)
        self.heard = ""

    def handle(self, record: logging.LogRecord) -> None:
        """Keep the message of a record."""
        self.heard = record.getMessage()


def reason(fault: BaseException) -> str:
    """A fault of a session in words; of a group, the first fault that is not one itself."""
    while isinstance(fault, BaseExceptionGroup):
        fault = fault.exceptions[0]
    if not isinstance(fault, SecretUnavailableError):
        fault = fault.__cause__ or fault  # the library's words tell less than what they are from
    words = str(fault) or type(fault).__name__
    hints = (hint for text, hint in _HINTS.items() if text in words)
    return "; ".join([words, *hints])


_TOO_LARGE = 0x95
"""MQTT 5's reason code of a packet that the broker does not take for its size."""


class PacketTooLargeError(MqttError):
    """The broker has refused a packet for its size."""


def is_too_large(fault: BaseException | None) -> bool:
    """Whether the size of a packet is what a session has ended for."""
    if isinstance(fault, BaseExceptionGroup):
        return any(map(is_too_large, fault.exceptions))
    return isinstance(fault, PacketTooLargeError) or (
        fault is not None and is_too_large(fault.__cause__)
    )


def fault_of(words: str, reason_code: ReasonCode) -> MqttError:
    """The fault that a broker has given a reason for."""
    kind = PacketTooLargeError if reason_code.value == _TOO_LARGE else MqttError
    return kind(words)
