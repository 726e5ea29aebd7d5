"""Settings of identifiers: how suffixes are made, who is asked for codes."""
