"""What the city knows right now, in memory: newest values and counters."""
