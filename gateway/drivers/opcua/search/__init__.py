"""Looking into OPC UA servers: what they offer, and which variables they have."""
