"""Where controllers are looked for; nothing here runs while one is read."""
