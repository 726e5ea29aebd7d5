"""Commands that erase what a city holds."""
