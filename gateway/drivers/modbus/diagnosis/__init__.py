"""What a unit is asked for people who look for a fault; nothing here runs while it is read."""
