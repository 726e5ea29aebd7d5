"""Rates as files for people and for other statistical systems."""
