"""The decoders that are tried, driver by driver; those of handles behind them."""

from tests.fuzz.targets import (
    addresses,
    explaining,
    handles,
    melsec,
    meters,
    modbus,
    opcua,
    simatic,
    values,
)

TARGETS = (
    *modbus.TARGETS,
    *melsec.TARGETS,
    *simatic.TARGETS,
    *meters.TARGETS,
    *opcua.TARGETS,
    *values.TARGETS,
    *addresses.TARGETS,
    *explaining.TARGETS,
    *handles.TARGETS,
)
