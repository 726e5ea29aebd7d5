"""Pages about identifiers: machines that wait for one, the list for the node, labels."""
