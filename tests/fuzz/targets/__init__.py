"""The decoders that are tried, driver by driver."""

from tests.fuzz.targets import addresses, explaining, melsec, meters, modbus, opcua, simatic, values

TARGETS = (
    *modbus.TARGETS,
    *melsec.TARGETS,
    *simatic.TARGETS,
    *meters.TARGETS,
    *opcua.TARGETS,
    *values.TARGETS,
    *addresses.TARGETS,
    *explaining.TARGETS,
)
