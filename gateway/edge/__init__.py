"""The edge runtime: poller, buffer, northbound, the box's own console."""
