"""Which days count of a machine, by what the ledger says of it."""
