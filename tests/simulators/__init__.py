"""Simulated lines: their machines, their protocols, and what stands in the catalogue."""
