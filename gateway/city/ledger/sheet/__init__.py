"""The ledger as sheets: reading, columns, values, mistakes, template."""
