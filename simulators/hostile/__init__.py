"""The hostile plant: devices, and a proxy before devices of others, that do what plants do.

Scripted and seeded: the same script, seed and requests meet the same faults. It is used by the
tests of drivers, and by whoever writes or buys another driver. See ``docs/simulators.md``.
"""
