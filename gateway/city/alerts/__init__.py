"""Alerts: what officers are told of without asking, and what they watch."""
