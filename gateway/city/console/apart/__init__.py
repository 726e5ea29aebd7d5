"""What takes long in a large city, computed apart from the pages."""
