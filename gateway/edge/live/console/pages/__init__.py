"""The pages of the box: what each shows, and what can be done on it."""
