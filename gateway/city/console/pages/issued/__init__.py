"""Pages of what leaves the house: sheets to print."""
