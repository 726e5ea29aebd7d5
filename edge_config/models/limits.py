"""The most that a city takes of one gateway, as far as an edge's configuration can exceed it.

The city refuses what is above (``gateway/city/ingest``), ``qulink check`` says so beforehand;
``docs/limits.md`` lists these numbers and the city's others.
"""

MAX_DEVICES = 2_000
"""Devices in one state message."""
MAX_STATE_BYTES = 256 * 1024
"""Size of one state message."""
STATE_BYTES = 512
"""What a state message has at most beside its devices."""
STATE_DEVICE_BYTES = 80
"""What a device has at most in a state message beside its id."""
SCHEMA_PART = 0.75
"""Most of a message that the description of a group may fill; the rest is for values."""
MAX_TAGS = 20_000
"""Tags of one schema, that is of one group of a device."""
MAX_MACHINES = 2_000
"""Machines that the tags of one schema belong to."""
MAX_LABEL = 200
"""Characters of a unit, a role or a label."""
MAX_SCHEMAS = 5_000
"""Schemas of one gateway: groups of all its devices."""
MAX_GATEWAY_TAGS = 500_000
"""Tags in all schemas of one gateway; each costs the city some 250 bytes of memory."""
RESERVED_TAGS = frozenset({"time"})
"""Names that the stores need for themselves."""
