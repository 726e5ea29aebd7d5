"""Commands about rates: figures beside the table, and how a table is printed."""
