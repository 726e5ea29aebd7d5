"""Read the record of the rules."""

from functools import cache
from importlib.resources import files

import yaml

from gateway.city.rates.publishing.rules import Rules

_PACKAGE = "gateway.city.rates.publishing"


@cache
def rules_of_publication() -> Rules:
    """The rules of ``rules.yaml``."""
    text = files(_PACKAGE).joinpath("rules.yaml").read_text(encoding="utf-8")
    return Rules.model_validate(yaml.safe_load(text))
