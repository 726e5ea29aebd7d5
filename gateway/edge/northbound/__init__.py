"""From the buffer to the city, and back its acknowledgements."""
