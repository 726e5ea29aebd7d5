"""Shift schedules of enterprises: on which days their machines are meant to work."""
