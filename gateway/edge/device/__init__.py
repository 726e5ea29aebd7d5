"""Devices at work: each with its model, session, books, gaps and reports."""
