"""People who log in elsewhere: at an OpenID Connect provider, who are here who they are there."""
