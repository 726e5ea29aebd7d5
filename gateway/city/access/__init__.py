"""Who looks at a city and who changes it: sessions of its console, and the audit log."""
