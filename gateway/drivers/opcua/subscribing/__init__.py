"""What a server pushes: subscriptions, their items, and what they publish."""
