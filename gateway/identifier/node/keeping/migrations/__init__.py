"""Migrations of the node's database, one module a version; ``opening.py`` has them run."""
