"""What the ledger said of any day, as it was known at any time."""
