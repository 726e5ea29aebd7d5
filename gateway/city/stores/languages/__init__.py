"""What is said to stores in their own languages. Pure."""
