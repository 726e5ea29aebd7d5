"""Which gateways live."""
