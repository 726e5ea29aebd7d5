"""Processes that answer natively beside each other on one port."""
