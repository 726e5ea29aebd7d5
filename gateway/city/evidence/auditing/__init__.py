"""Whether evidence and the time-series store say the same."""
