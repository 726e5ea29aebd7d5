"""What a city costs: frames in, lines out, values stored."""
