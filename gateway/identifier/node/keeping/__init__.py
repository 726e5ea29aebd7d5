"""What the node keeps, in one relational database; functions of a connection."""
