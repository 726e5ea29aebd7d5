"""What a city may keep of enterprises, and for how long."""
