"""Erase what a city holds of one enterprise, and certify it."""
