"""``qulink node``: a node of identifiers, and who keeps it."""
