"""What became of an attempt to deliver a message."""


class DeliveryError(Exception):
    """A message was not taken; the message says what was asked, what came, and what to do."""


class AwayError(DeliveryError):
    """The channel takes nothing now."""


class PutOffError(DeliveryError):
    """This message is not taken now; others may be."""


class RefusedError(DeliveryError):
    """This message is never taken."""
