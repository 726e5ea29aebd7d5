"""The city's tables beside those of :mod:`gateway.city.db.tables`, a module a subject."""
