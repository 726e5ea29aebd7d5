"""A month beside another way to count it, to sum it up, or to be told it."""
