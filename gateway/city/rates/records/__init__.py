"""The files of definition records, and who approved which."""
