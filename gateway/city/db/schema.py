"""All tables together; migrations work on this, so that no module of tables is forgotten."""

from gateway.city.db import rate_tables

metadata = rate_tables.TABLES
"""Every table, those of :mod:`gateway.city.db.rate_tables` included."""
