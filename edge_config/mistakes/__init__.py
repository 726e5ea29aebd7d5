"""What is wrong with a configuration, in sentences."""
