"""The same definitions on other engines: they count machines, everything else stays here."""
