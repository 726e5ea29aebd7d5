"""On which days of a month machines sent valid data, kept with the figure that rests on it."""
