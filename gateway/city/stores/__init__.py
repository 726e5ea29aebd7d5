"""Time-series stores behind one small interface (``api``)."""
