"""What an edge costs: real devices to poll, a real broker, a city that only acknowledges."""
