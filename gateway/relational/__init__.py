"""What both the city and the node share of relational databases."""
