"""Identifiers and ledger sheets: what a sheet says, what becomes of it, and writing back."""
