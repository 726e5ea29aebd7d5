"""How far machines are on their way to an identifier that a node has confirmed."""
