"""Patterns that honest data rarely have: what to check on site. They change no figure."""
