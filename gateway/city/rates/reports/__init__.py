"""Rates as tables, trends, files and reasons."""
