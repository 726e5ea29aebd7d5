"""Lists of enterprises: of the city, of a county, of an industry."""
