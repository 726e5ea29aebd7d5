"""Single values: how they are scaled, shown and kept short."""
