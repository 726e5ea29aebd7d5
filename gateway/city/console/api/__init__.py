"""The JSON API for programs, version 1; ``docs/api.md`` says what is promised of it."""
