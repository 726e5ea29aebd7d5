"""What drivers of register-like protocols share: merging, decoding, search for refused addresses.

All of it is pure. A driver brings its tables, limits and requests; see ``gateway.drivers.modbus``.
"""
