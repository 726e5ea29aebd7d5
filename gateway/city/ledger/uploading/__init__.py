"""Ledger files that people send to a page: kept apart, looked at, imported, thrown away."""
