"""A random sample of machines to look at on site, and the rate that the look verifies."""
