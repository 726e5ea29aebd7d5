"""All tables together; migrations work on this, so that no module of tables is forgotten."""

from gateway.city.db import tables
from gateway.city.db.schema import (
    access,
    clock,
    daymaps,
    declared,
    identifiers,
    ledger_history,
    months,
    operation,
    rates,
    stops,
)
from gateway.city.db.schema.alerting import alerts, messages
from gateway.city.db.schema.checking import findings, samples

MODULES = (
    *(tables, access, alerts, messages, clock, daymaps, declared, identifiers),
    *(findings, samples, ledger_history, months, operation, rates, stops),
)
"""Each adds its tables when it is imported."""

metadata = tables.metadata
"""Every table, those of all modules included."""
