"""A SPEC that imports its driver: D-15."""

import qulink_acme.driver  # noqa: F401 - that is what is wrong
from broken_base import Sound

make = Sound
