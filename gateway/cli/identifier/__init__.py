"""``qulink id``: identifiers of machines, and codes of all systems."""
