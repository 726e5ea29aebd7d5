"""Commands for a factory and for those who write its configuration."""
