"""All tables together; migrations work on this, so that no module of tables is forgotten."""

from gateway.city.db import clock_tables, rate_tables, tables

MODULES = (tables, clock_tables, rate_tables)
"""Each adds its tables when it is imported."""

metadata = tables.metadata
"""Every table, those of all modules included."""
