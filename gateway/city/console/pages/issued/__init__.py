"""Pages of what leaves the house: sheets to print, and the catalogue of open data."""
