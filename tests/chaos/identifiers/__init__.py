"""Machines get identifiers while city and node are killed, and databases are restored."""
