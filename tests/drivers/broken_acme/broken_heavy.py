"""A driver that reads configurations while it runs: D-21."""

import yaml  # noqa: F401 - that is what is wrong
from broken_base import Sound


class Heavy(Sound):
    """D-21."""
