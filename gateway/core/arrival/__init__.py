"""Values of a subscription, delivery by delivery. Pure."""
