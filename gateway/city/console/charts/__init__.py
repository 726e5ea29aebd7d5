"""Charts as specifications and as pictures."""
