"""Ways to a device: TCP, UDP, TLS and serial ports, each opened for an ``asyncio`` protocol."""
