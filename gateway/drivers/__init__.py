"""Drivers: one folder each; ``api`` is the SDK, ``registry`` finds them."""
