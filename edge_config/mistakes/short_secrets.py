"""Secrets that can be read where a configuration is checked, and are short enough to be guessed."""

import dataclasses
from collections.abc import Iterator
from typing import Any

from edge_config.mistakes.problems import Loc
from edge_config.models.base import (
    MIN_TOKEN,
    ConsoleConfig,
    Secret,
    SecretTooShortError,
    SecretUnavailableError,
)
from edge_config.models.people.alerts import WebhookConfig
from edge_config.models.settings import Settings

MIN_PASSWORD = 8
"""Fewest characters of a password that somebody else may have chosen."""


def short_secrets(config: Settings) -> Iterator[tuple[Loc, str]]:
    """Where a secret is too short, and in words how short; it is never shown.

    One that cannot be read here is none of them: a service manager may give it to the process only.

    Args:
        config: all of a configuration.
    """
    for loc, owner, secret in _secrets(config, ()):
        least = MIN_TOKEN if isinstance(owner, ConsoleConfig | WebhookConfig) else MIN_PASSWORD
        try:
            secret.reveal_long(least)
        except SecretTooShortError as error:
            yield loc, str(error)
        except SecretUnavailableError:
            continue


def _secrets(value: Any, loc: Loc) -> Iterator[tuple[Loc, Settings, Secret]]:
    if isinstance(value, tuple | list):
        for at, one in enumerate(value):
            yield from _secrets(one, (*loc, at))
    if not isinstance(value, Settings):
        return
    for field in dataclasses.fields(value):
        inner = getattr(value, field.name)
        if isinstance(inner, Secret):
            yield (*loc, field.name), value, inner
        else:
            yield from _secrets(inner, (*loc, field.name))
