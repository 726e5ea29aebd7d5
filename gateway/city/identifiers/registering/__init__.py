"""Telling the node what the outbox holds, and reading it back; whatever the node speaks."""
