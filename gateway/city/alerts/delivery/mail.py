"""Mails by SMTP: TLS at once or by STARTTLS, in a thread, every answer and all with a time-out."""

import asyncio
import smtplib
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import urlsplit

from edge_config.models.base import ClientTls, SecretUnavailableError
from edge_config.models.people.alerts import MailConfig
from edge_config.models.plain import is_loopback_host
from gateway.city.alerts.delivery.limit import Limit, LimitedSmtp, LimitedSmtps
from gateway.city.alerts.delivery.outcome import AwayError, PutOffError, RefusedError

_PORTS = {"smtps": 465, "smtp": 587}
_PERMANENT = 500
TOTAL_S = 300.0
"""So long a mail may take in all: a server that answers a letter at a time holds a thread."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail.

    Attributes:
        to: one address.
        subject: one line.
        text: plain text.
        key: of the message; the same at each attempt, so that a mailbox can tell it is one.
        at_ms: UTC milliseconds.
    """

    to: str
    subject: str
    text: str
    key: str
    at_ms: int


class Post:
    """A mail server.

    Args:
        config: where it is, and who we are there.
        total_s: see :data:`TOTAL_S`.
    """

    def __init__(self, config: MailConfig, total_s: float = TOTAL_S) -> None:
        self._config = config
        self._total_s = total_s
        parts = urlsplit(config.url)
        self._host, self._is_tls = parts.hostname or "", parts.scheme == "smtps"
        self._port = parts.port or _PORTS[parts.scheme]

    @property
    def place(self) -> str:
        """The server, for messages."""
        return f"mail server {self._host}:{self._port}"

    async def send(self, mail: Mail) -> None:
        """Hand a mail to the server.

        Raises:
            AwayError: the server cannot be reached or used now.
            PutOffError: it does not take this mail now.
            RefusedError: it never takes it.
        """
        made = _made(self._config.sender, mail)
        await asyncio.to_thread(self._send, made, mail.to)

    def _send(self, made: EmailMessage, to: str) -> None:
        limit = Limit()
        try:
            with limit.within(self._total_s), self._connected(limit) as server:
                self._log_in(server)
                server.send_message(made, self._config.sender, [to])
        except smtplib.SMTPRecipientsRefused as error:
            code, words = error.recipients[to]
            said = f"{self.place} refuses {to}: {code} {_text(words)}"
            raise (RefusedError if code >= _PERMANENT else PutOffError)(said) from error
        except smtplib.SMTPDataError as error:
            said = (
                f"{self.place} does not take the mail: {error.smtp_code} {_text(error.smtp_error)}"
            )
            kind = RefusedError if error.smtp_code >= _PERMANENT else PutOffError
            raise kind(said) from error
        except (smtplib.SMTPException, OSError, SecretUnavailableError, ValueError) as error:
            said = f"no mail in {self._total_s:g} s" if limit.is_over else _words(error)
            raise AwayError(f"{self.place}: {said}") from error

    def _connected(self, limit: Limit) -> smtplib.SMTP:
        place, timeout_s = (self._host, self._port), self._config.timeout_ms / 1000
        if self._is_tls:
            context = _context(self._config.tls)
            return LimitedSmtps(limit, *place, timeout=timeout_s, context=context)
        server = LimitedSmtp(limit, *place, timeout=timeout_s)
        try:
            self._make_private(server)
        except BaseException:
            server.close()
            raise
        return server

    def _make_private(self, server: smtplib.SMTP) -> None:
        """STARTTLS; without it nothing leaves unless it may, or stays on this machine."""
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=_context(self._config.tls))
            server.ehlo()
        elif not (self._config.allow_plain or is_loopback_host(self._host)):
            raise smtplib.SMTPException(
                "it offers no STARTTLS, and mails would travel in the clear: write smtps://, or "
                "'allow_plain: true' if nobody else can listen on the way"
            )

    def _log_in(self, server: smtplib.SMTP) -> None:
        config = self._config
        if config.username is not None and config.password is not None:
            server.login(config.username, config.password.reveal())


def _context(tls: ClientTls | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=tls.ca_file if tls else None)
    if tls is not None and tls.cert_file is not None:
        context.load_cert_chain(tls.cert_file, tls.key_file)
    return context


def _made(sender: str, mail: Mail) -> EmailMessage:
    """The mail; its policy refuses any line break in a header."""
    made = EmailMessage(policy=SMTP)
    made["From"] = sender
    made["To"] = mail.to
    made["Subject"] = mail.subject
    made["Date"] = format_datetime(datetime.fromtimestamp(mail.at_ms / 1000, UTC))
    made["Message-ID"] = f"<{mail.key}@{sender.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    made.set_content(mail.text, charset="utf-8", cte="base64")
    return made


def _words(error: Exception) -> str:
    """What went wrong, never what was sent: a refused login names no password."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    return " ".join(str(error).split())[:200] or type(error).__name__


def _text(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())[:200]
