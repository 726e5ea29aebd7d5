"""What must end in time, watched by one timer."""
