"""Findings that are kept: looked for at night, listed, and explained."""
