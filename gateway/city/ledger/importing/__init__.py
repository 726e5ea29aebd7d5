"""What an import knows beforehand, and what it writes."""
