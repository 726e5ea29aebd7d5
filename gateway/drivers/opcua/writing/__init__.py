"""Writing a value, or an element of an array."""
