"""What the city says of what it was sent."""
