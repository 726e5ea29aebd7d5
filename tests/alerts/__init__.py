"""Alerts: rules, watch-lists, delivery."""
