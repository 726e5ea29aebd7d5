"""How requests travel on a connection and how their answers are recognised. Pure."""
