"""From files to a resolved configuration."""
