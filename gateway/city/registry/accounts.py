"""Whose the accounts at the broker are: every line of its password file is accounted for. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.city.registry.enrolment import Enrolled

Owner = Literal["city", "gateway", "revoked", "unknown"]
"""``revoked``: of a gateway whose right has ended; ``unknown``: no enrolment made it."""


@dataclass(frozen=True, slots=True)
class BrokerAccount:
    """A line of the broker's password file, by its user."""

    user: str
    owner: Owner

    @property
    def is_due(self) -> bool:
        """Whether it should be there."""
        return self.owner in {"city", "gateway"}


def accounts(
    users: Iterable[str], gateways: Sequence[Enrolled], city_user: str
) -> list[BrokerAccount]:
    """Whose each account is.

    Args:
        users: of the password file.
        gateways: all of the registry, revoked ones too.
        city_user: the city's own user at the broker.
    """
    registered = {one.id: one.revoked_ms is not None for one in gateways}
    return [BrokerAccount(user, _owner(user, registered, city_user)) for user in users]


def _owner(user: str, registered: dict[str, bool], city_user: str) -> Owner:
    if user == city_user:
        return "city"
    if user not in registered:
        return "unknown"
    return "revoked" if registered[user] else "gateway"
