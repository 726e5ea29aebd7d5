"""Finding a handle from server to server: whom to ask, whom to believe, where not to go."""
