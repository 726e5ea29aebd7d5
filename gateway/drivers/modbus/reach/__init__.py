"""By which way the units of a link are reached, and what its speed asks of requests."""
