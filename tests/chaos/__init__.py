"""Crashes and faults on purpose, and a judge who knows what the devices really answered."""
