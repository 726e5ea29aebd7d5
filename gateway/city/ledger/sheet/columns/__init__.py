"""The columns of the two tables of the ledger: one list for import, template and help."""
