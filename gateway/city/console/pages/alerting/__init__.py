"""Pages of alerts and of what people watch."""
