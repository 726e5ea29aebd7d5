"""Data agreements: which points of an enterprise may be collected, from when to when, what for."""
