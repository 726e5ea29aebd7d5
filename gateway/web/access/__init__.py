"""Who may see a console: before every page, and at the door."""
