"""Tables of what is checked on site."""
