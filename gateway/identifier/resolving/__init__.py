"""A code in, a record or a reason out: caches first, then whoever is configured to know."""
