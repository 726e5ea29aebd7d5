"""What devices have taught of their addresses, kept over restarts."""
