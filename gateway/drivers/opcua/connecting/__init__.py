"""From an address to a session: connect, trust, log in, read what the server has."""
