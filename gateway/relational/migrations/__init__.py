"""Alembic migrations of the city's database; ``gateway.city.db.upgrade`` runs them."""
