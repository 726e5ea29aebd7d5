"""The flight recorder of OPC UA: what is kept of a message, and what it says."""
