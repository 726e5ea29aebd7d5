"""The edge runtime: devices, buffer, northbound, the box's own console."""
