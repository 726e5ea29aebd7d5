"""Factory lines that speak the real protocols. Imports nothing of ``gateway``."""
