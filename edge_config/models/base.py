"""What all configurations share: secrets, TLS, addresses of brokers and to listen on."""

import os
import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, ClassVar

from edge_config.models.plain import demand_no_secret, is_loopback_host
from edge_config.models.settings import Field, Rule, Settings

_PORTS = range(65536)
MIN_TOKEN = 16
"""Fewest characters of a token; to guess 16 hex digits takes centuries at the pace allowed."""

PATTERN_WORDS: dict[str, str] = {}
"""What a text must be, in words, for each pattern made by :func:`pattern`."""


def pattern(regex: str, sentence: str) -> str:
    """A pattern together with the words that a message uses instead of it.

    Args:
        regex: anchored regular expression.
        sentence: continues "``key``: ", as ``must be …``.
    """
    PATTERN_WORDS[regex] = sentence
    return regex


class SecretUnavailableError(Exception):
    """A secret's file or environment variable is missing or empty."""


class SecretTooShortError(SecretUnavailableError):
    """A secret can be read, and guessed."""


class Secret(Settings):
    """A secret by reference: exactly one of a file or an environment variable."""

    file: Path | None = Field(
        default=None, description="file that holds the secret; a trailing newline is dropped"
    )
    env: str | None = Field(default=None, description="environment variable that holds the secret")

    def __post_init__(self) -> None:
        if (self.file is None) == (self.env is None):
            raise ValueError("give exactly one of 'file' and 'env'")

    def reveal(self) -> str:
        """The secret itself. Never log it.

        Raises:
            SecretUnavailableError: file or variable missing, unreadable or empty.
        """
        if self.env is not None:
            secret, source = os.environ.get(self.env, ""), f"environment variable {self.env}"
        else:
            secret, source = _read(self.file), f"file {self.file}"
        if not secret:
            raise SecretUnavailableError(f"the secret in {source} is missing or empty")
        return secret

    def reveal_long(self, least: int) -> str:
        """The secret, if it is long enough not to be guessed.

        Args:
            least: fewest characters.

        Raises:
            SecretUnavailableError: as :meth:`reveal` says, or it is too short.
        """
        secret = self.reveal()
        if len(secret) < least:
            raise SecretTooShortError(
                f"the secret in {self.file or self.env} has {len(secret)} characters; at least "
                f"{least} are needed: make one with openssl rand -hex 32"
            )
        return secret


def _read(file: Path | None) -> str:
    try:
        return file.read_text(encoding="utf-8-sig").rstrip("\r\n") if file else ""
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise SecretUnavailableError(f"cannot read secret file {file}: {why}") from error


_LABEL = re.compile(r"[a-z0-9_-]{1,63}", re.ASCII | re.IGNORECASE)
_NUMBERS = re.compile(r"[0-9.]+")


def is_host(text: str) -> bool:
    """Whether a text is an IP address without brackets, or can be the name of a host."""
    try:
        ip_address(text)
    except ValueError:
        labels = text.removesuffix(".").split(".")
        return not _NUMBERS.fullmatch(text) and all(map(_LABEL.fullmatch, labels))
    return True


def _host(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if is_host(text):
        return text
    if colon and port.isdecimal() and is_host(host.strip("[]")):
        alone = f"; write 'host: {host.strip('[]')}' and 'port: {port}'"
    elif _NUMBERS.fullmatch(text):
        alone = f"; {text} is neither"
    else:
        alone = ", without scheme, path, brackets and blanks; the port has a key of its own"
    raise ValueError(f"must be a name or IP address alone{alone}")


Host = Annotated[str, Rule(min_length=1, max_length=253), Rule(_host)]
"""Where a device is: a name or an IP address; its port has a key of its own."""


def _port_in_range(url: str) -> str:
    port = url.rpartition(":")[2]
    if port.isdigit() and int(port) not in _PORTS:
        raise ValueError(f"port {port} is above {_PORTS[-1]}")
    return url


MqttUrl = Annotated[
    str,
    Rule(
        pattern=pattern(
            r"^mqtts?://(\[[0-9a-fA-F:.]+\]|[^\s/:@\[\]?#]+)(:[0-9]{1,5})?$",
            "must be mqtt://host:port or mqtts://host:port, without user, password and path",
        )
    ),
    Rule(_port_in_range),
]
"""Address of a broker; the default port is 1883, with TLS 8883."""

HttpUrl = Annotated[
    str,
    Rule(
        pattern=pattern(
            r"^https?://[^\s@]+$",
            "must be http://… or https://…, without user and password",
        )
    ),
    Rule(demand_no_secret),
]
"""Base address of an HTTP service."""


class ClientTls(Settings):
    """TLS towards a server; the server's certificate is always verified."""

    ca_file: Path | None = Field(
        default=None, description="CA bundle in PEM; default: the system's"
    )
    cert_file: Path | None = Field(default=None, description="own certificate in PEM")
    key_file: Path | None = Field(default=None, description="key of the own certificate in PEM")

    def __post_init__(self) -> None:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("'cert_file' and 'key_file' belong together; give both or none")


def allow_plain_field() -> bool:
    """The key by which an operator says that a secret may travel in the clear."""
    allowed: bool = Field(
        default=False,
        description="true: its secret may travel in the clear to another machine",
    )
    return allowed


def demand_tls_scheme(url: str, tls: ClientTls | None) -> None:
    """Refuse TLS settings for an address that would not use them.

    Raises:
        ValueError: ``tls`` is given, but the URL is plain.
    """
    scheme = url.partition("://")[0]
    if tls is not None and not scheme.endswith("s"):
        raise ValueError(f"'tls' is given, but the url is plain; write {scheme}s://")


class ServerTls(Settings):
    """TLS of a listening address."""

    cert_file: Path = Field(description="certificate chain in PEM")
    key_file: Path = Field(description="private key in PEM")


def _listen(text: str) -> str:
    host, separator, port = text.rpartition(":")
    if not separator or not host or not port.isdigit() or int(port) not in _PORTS:
        raise ValueError("must be host:port, as in 127.0.0.1:8080 or [::1]:8080")
    return text


ListenAddress = Annotated[str, Rule(_listen)]
"""``host:port``; an IPv6 host stands in brackets; port 0 takes any free one."""


def split_listen(address: str) -> tuple[str, int]:
    """Host (without brackets) and port of a :data:`ListenAddress`."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


class ConsoleConfig(Settings):
    """The web console. Loopback needs nothing; any other address needs TLS and a token."""

    _LOGIN: ClassVar[str] = "'token'"

    listen: ListenAddress = Field(default="127.0.0.1:8080", description="address to listen on")
    tls: ServerTls | None = Field(default=None, description="certificate; required off loopback")
    token: Secret | None = Field(
        default=None,
        description="access token of at least 16 characters; required off loopback",
    )
    hosts: tuple[Host, ...] = Field(
        default=(),
        description="names and addresses by which the console is reached; others are refused; "
        "default: on loopback its own names, else any",
    )

    def __post_init__(self) -> None:
        if not is_loopback(self.listen) and (self.tls is None or not self.has_login):
            raise ValueError(
                f"listening on {self.listen} needs both 'tls' and {self._LOGIN}; "
                "without them only a loopback address such as 127.0.0.1 is allowed"
            )

    @property
    def has_login(self) -> bool:
        """Whether a visitor must show who it is."""
        return self.token is not None

    def access_token(self) -> str | None:
        """The token; None: there is none.

        Raises:
            SecretUnavailableError: it cannot be read, or is too short.
        """
        return self.token.reveal_long(MIN_TOKEN) if self.token is not None else None


def is_loopback(address: str) -> bool:
    """Whether a listen address is reachable from this machine only."""
    return is_loopback_host(split_listen(address)[0])
