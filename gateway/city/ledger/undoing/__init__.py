"""Acts upon the ledger: which there were, what each said, and how one is undone by another."""
