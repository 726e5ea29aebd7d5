"""What the consoles of edge and city share: serving, access, languages, one design."""
