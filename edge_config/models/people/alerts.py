"""Alerts: when there is one, and who is told of it by mail and webhook."""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from edge_config.models.base import (
    ClientTls,
    HttpUrl,
    Secret,
    allow_plain_field,
    demand_tls_scheme,
    pattern,
)
from edge_config.models.people.oidc import ScopeWords
from edge_config.models.plain import demand_private, is_loopback_host
from edge_config.models.settings import Field, Rule, Settings

MAIL_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?P<domain>[A-Za-z0-9.-]{1,253})")
"""An address without display name, quotes and blanks: nothing that could end a header."""

SmtpUrl = Annotated[
    str,
    Rule(
        pattern=pattern(
            r"^smtps?://(\[[0-9a-fA-F:.]+\]|[^\s/:@\[\]?#]+)(:[0-9]{1,5})?$",
            "must be smtps://host:port, or smtp://host:port for STARTTLS, without user, password "
            "and path",
        )
    ),
]
Address = Annotated[
    str,
    Rule(
        pattern=pattern(
            f"^{MAIL_ADDRESS.pattern.replace('?P<domain>', '')}$",
            "must be a mail address alone, as alerts@jxj.example.cn",
        )
    ),
]
Domain = Annotated[
    str,
    Rule(
        pattern=pattern(
            r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$",
            "must be the part of addresses behind '@', in small letters, as jxj.example.cn",
        )
    ),
]


class MailConfig(Settings):
    """The mail server that takes alerts."""

    url: SmtpUrl = Field(
        description="smtps://host:465, or smtp://host:587, which goes on with STARTTLS"
    )
    username: str | None = Field(default=None, min_length=1, description="user of the server")
    password: Secret | None = Field(default=None, description="the user's password")
    sender: Address = Field(description="address that mails come from")
    domains: tuple[Domain, ...] = Field(
        min_length=1, description="users may have alerts sent to addresses of these domains only"
    )
    tls: ClientTls | None = Field(default=None, description="whom to trust; default: the system")
    allow_plain: bool = Field(
        default=False,
        description="true: mails, and the password, may travel without TLS where the server offers "
        "none",
    )
    timeout_ms: int = Field(
        default=15_000, ge=500, le=120_000, description="longest wait for one answer"
    )

    def __post_init__(self) -> None:
        if (self.username is None) != (self.password is None):
            raise ValueError("'username' and 'password' belong together; give both or none")


class WebhookConfig(Settings):
    """A program that is told of alerts by HTTP."""

    name: str = Field(
        pattern=pattern(
            r"^[a-z0-9][a-z0-9-]{0,31}$", "must be small letters, digits and '-', as duty-room"
        ),
        description="by which pages and commands call it",
    )
    url: HttpUrl = Field(description="that alerts are posted to")
    secret: Secret = Field(
        description="key of the signature, of at least 16 characters, which the program knows, too"
    )
    scope: ScopeWords = Field(default="all", description="whose alerts it is told of")
    allow_private: bool = Field(
        default=False,
        description="true: it may be at a private address or on this machine; others are refused",
    )
    tls: ClientTls | None = Field(default=None, description="whom to trust; default: the system")
    allow_plain: bool = allow_plain_field()
    timeout_ms: int = Field(
        default=10_000, ge=100, le=120_000, description="longest wait for its answer"
    )

    def __post_init__(self) -> None:
        demand_tls_scheme(self.url, self.tls)
        demand_private(self.url, has_secret=True, allow_plain=self.allow_plain)
        host = urlsplit(self.url).hostname or ""
        if is_loopback_host(host) and not self.allow_private:
            raise ValueError(f"{host} is this machine: write 'allow_private: true' if it is meant")


def _once(hooks: tuple[WebhookConfig, ...]) -> tuple[WebhookConfig, ...]:
    names = [one.name for one in hooks]
    twice = sorted({one for one in names if names.count(one) > 1})
    if twice:
        raise ValueError(f"two webhooks are called {twice[0]}; names tell them apart")
    return hooks


Webhooks = Annotated[tuple[WebhookConfig, ...], Rule(_once)]


class AlertsConfig(Settings):
    """Alerts: a silent gateway or machine, a falling rate, a target at risk, an old ledger."""

    mail: MailConfig | None = Field(default=None, description="default: no mails are sent")
    webhooks: Webhooks = Field(default=(), description="programs that are told")
    console_url: HttpUrl | None = Field(
        default=None, description="the console as readers of mails reach it, for links"
    )
    silent_s: int = Field(
        default=900, ge=1, le=604_800, description="a gateway that is silent for longer is told of"
    )
    cut_off_s: int = Field(
        default=86_400,
        ge=1,
        le=604_800,
        description="a gateway that is heard and reaches none of its devices for longer is told of",
    )
    steady_s: int = Field(
        default=600,
        ge=0,
        le=86_400,
        description="a silence is over once its gateway has spoken for so long",
    )
    machine_hours: int = Field(
        default=24,
        ge=1,
        le=8_760,
        description="a watched machine without valid data for longer is told of",
    )
    days: Literal["scheduled", "all"] = Field(
        default="scheduled",
        description="days on which silences count; scheduled: not those of rest by the official "
        "holiday calendar or the plant's own schedule, nor planned stops",
    )
    from_hour: int = Field(
        default=8,
        ge=0,
        le=23,
        description="a day after one that does not count begins at this hour",
    )
    fall_points: float = Field(
        default=2, gt=0, le=100, description="a rate that falls by so much is told of, points"
    )
    fewest_machines: int = Field(
        default=20, ge=1, le=1_000_000, description="rates of fewer machines are not judged"
    )
    ledger_days: int = Field(
        default=365, ge=1, le=3_650, description="a ledger not verified for longer is told of"
    )
    gather_s: int = Field(
        default=60,
        ge=0,
        le=3_600,
        description="what begins or ends within so long is told in one message",
    )
    check_s: int = Field(default=30, ge=1, le=3_600, description="how often silences are judged")
    queue: int = Field(
        default=1_000,
        ge=10,
        le=100_000,
        description="messages that wait at most; the oldest are dropped above it, and counted",
    )
    give_up_hours: int = Field(
        default=72, ge=1, le=720, description="a message that cannot be delivered is kept so long"
    )
    keep_days: int = Field(
        default=365, ge=1, le=3_650, description="alerts that have ended, and what was sent of them"
    )
