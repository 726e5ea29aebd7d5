"""What of the rates is published, and what is withheld so that nobody is found in it."""
