"""What processes and connections of a plant are bent with: writes, clocks, lines."""
