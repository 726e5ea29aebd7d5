"""What registers hold: types, codings, byte orders, texts and dates, read and written. Pure."""
