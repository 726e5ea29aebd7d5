"""How a device stands: up or lost, since when and why, and what is logged of it."""
