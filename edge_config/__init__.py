"""What an operator writes: models, loader, point tables, machine profiles, samples."""
