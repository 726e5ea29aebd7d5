"""One box that finds what somebody has a name or a number of."""
