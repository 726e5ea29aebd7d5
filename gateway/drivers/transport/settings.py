"""What an operator writes of serial ports and TLS, for the ``connection:`` of any driver. Pure."""

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from edge_config.models.settings import Field, Rule, Settings


class Parity(StrEnum):
    """The bit that guards each character."""

    NONE = "none"
    EVEN = "even"
    ODD = "odd"


_LETTERS = {"n": "none", "e": "even", "o": "odd"}
"""As in 8N1 and 8E1."""


def _device_path(text: str) -> str:
    if text.startswith("/"):  # one port has one path, however it is spelt
        return "/" + posixpath.normpath(text).lstrip("/")
    is_windows = text.upper().startswith("COM")
    names = f"{text!r} is a name of Windows; " if is_windows else ""
    raise ValueError(f"{names}must be a path: /dev/serial/by-id/usb-… stays the same, /dev/ttyS0")


PortPath = Annotated[str, Rule(_device_path)]
"""Path of a serial port."""


class Rs485(Settings):
    """What the port's own hardware does to drive a two-wire line (Linux, TIOCSRS485)."""

    rts_on_send: bool = Field(default=True, description="level of RTS while sending")
    rts_after_send: bool = Field(default=False, description="level of RTS while receiving")
    delay_before_send_ms: int = Field(
        default=0, ge=0, le=100, description="wait between RTS and the first character"
    )
    delay_after_send_ms: int = Field(
        default=0, ge=0, le=100, description="wait between the last character and RTS"
    )
    receive_while_sending: bool = Field(
        default=False, description="hear what is sent oneself; such an echo is passed over"
    )


class SerialSettings(Settings):
    """A serial port: its path, or a mapping. Devices of one port may leave out what one says."""

    port: PortPath = Field(
        description="path; /dev/serial/by-id/… names the adapter whatever it is plugged into"
    )
    baud: int | None = Field(default=None, ge=300, le=4_000_000, description="baud rate")
    parity: Parity | None = Field(default=None, description="parity: none, even or odd")
    stop_bits: int | None = Field(default=None, ge=1, le=2, description="stop bits")
    data_bits: int | None = Field(default=None, ge=7, le=8, description="data bits, 7 or 8")
    rs485: Rs485 | None = Field(
        default=None,
        description="RS-485 by the port's own hardware; adapters that switch by themselves, as "
        "those of USB do, need none",
    )

    @classmethod
    def from_written(cls, written: Any) -> Any:
        """The mapping that a path alone means; parity may be a letter, as in 8E1."""
        if isinstance(written, str):
            return {"port": written}
        parity = written.get("parity") if isinstance(written, dict) else None
        if isinstance(parity, str) and parity.lower() in _LETTERS:
            return {**written, "parity": _LETTERS[parity.lower()]}
        return written


@dataclass(frozen=True, slots=True)
class Port:
    """A serial port with all that is needed to open it.

    Attributes:
        path: of the device file.
        baud: symbols a second.
        data_bits: 7 or 8.
        parity: the bit that guards each character.
        stop_bits: 1 or 2.
        rs485: what the port's hardware is asked for; None: nothing.
    """

    path: str
    baud: int
    parity: Parity
    stop_bits: int
    data_bits: int = 8
    rs485: Rs485 | None = None

    @property
    def character_s(self) -> float:
        """How long a character takes: start bit, data, parity, stop bits."""
        bits = 1 + self.data_bits + (self.parity is not Parity.NONE) + self.stop_bits
        return bits / self.baud

    def __str__(self) -> str:
        """``/dev/ttyS0 (9600 8N1)``."""
        letters = f"{self.data_bits}{self.parity[0].upper()}{self.stop_bits}"
        return f"{self.path} ({self.baud} {letters})"


_SHARED = ("baud", "parity", "stop_bits", "data_bits", "rs485")


def agreed_port(settings: Sequence[SerialSettings], usual: Port) -> Port:
    """What devices of one port say of it together.

    Args:
        settings: theirs, at least one; the first that says something counts.
        usual: what holds where nobody does; its path does not matter.
    """
    said = {key: _said(settings, key) for key in _SHARED}
    found = {key: getattr(usual, key) if value is None else value for key, value in said.items()}
    return Port(path=settings[0].port, **found)


def port_conflicts(settings: Sequence[SerialSettings]) -> Iterator[tuple[int, str, str]]:
    """What contradicts an earlier device of the same port.

    Yields:
        Position, key below ``serial:``, and a sentence.
    """
    for key in _SHARED:
        first = _said(settings, key)
        for position, one in enumerate(settings):
            value = getattr(one, key)
            if value not in (None, first):
                told = "another value" if key == "rs485" else str(first)
                yield position, key, f"{value} contradicts {told} of another device at {one.port}"


def _said(settings: Sequence[SerialSettings], key: str) -> Any:
    values = (getattr(one, key) for one in settings)
    return next((value for value in values if value is not None), None)


class DeviceTls(Settings):
    """TLS to a device, with certificates on both sides. Files are PEM."""

    ca_file: Path = Field(description="CA that has signed the device's certificate")
    cert_file: Path = Field(description="own certificate; a device reads our role in it")
    key_file: Path = Field(description="key of the own certificate")
    server_name: str | None = Field(
        default=None,
        min_length=1,
        description="name in the device's certificate, where it is not host",
    )
