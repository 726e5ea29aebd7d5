"""Papers: what is said of an enterprise by a document, and how it is entered, listed and ended."""
