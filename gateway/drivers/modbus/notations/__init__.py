"""How an address is written: the text form, and the notations of manuals. Pure."""
