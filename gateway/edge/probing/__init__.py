"""Searches for devices that a person begins on the page of a box: each is a process of its own."""
