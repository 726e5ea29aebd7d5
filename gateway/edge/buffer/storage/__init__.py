"""The buffer's file: its tables, and what is read and written in one transaction."""
