"""The enterprise node: what it keeps, what it accepts, and its faces."""
