"""Tables of alerts and of what is sent of them."""
