"""What is known of the edge right now, for its health and its console."""
