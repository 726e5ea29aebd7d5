"""What is done to the plant; each fault is a function that commits it once and lifts it again."""
