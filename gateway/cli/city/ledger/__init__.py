"""``qulink ledger``."""
