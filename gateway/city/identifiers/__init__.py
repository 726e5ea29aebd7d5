"""Identifiers of the ledger's machines: issued, registered, read back."""
