"""From alerts to messages, and from messages to people and programs."""
