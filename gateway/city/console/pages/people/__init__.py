"""Pages about people: who may log in, the page behind a one-time link, the own password."""
