"""Commands to gateways: one value of one device to write."""
