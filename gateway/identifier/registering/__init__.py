"""Registering identifiers at a node, whatever it speaks: ``registry`` is all that others see."""
