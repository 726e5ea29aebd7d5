"""Files that must survive a power cut."""
