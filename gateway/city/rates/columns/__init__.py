"""Ledger and evidence read by columns: a million machines are some arrays, not a million rows."""
