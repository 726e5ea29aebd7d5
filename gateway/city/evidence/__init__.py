"""Evidence that machines were read."""
