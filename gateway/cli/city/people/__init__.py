"""Commands about who may ask the city: users, and tokens of programs."""
