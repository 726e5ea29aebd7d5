"""Who asks a city: how people log in to its console."""
