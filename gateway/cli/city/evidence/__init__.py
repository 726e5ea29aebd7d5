"""``qulink evidence``: its commands, and what they print."""
