"""Services by the numbers of their messages (OPC UA Part 6, annex A). Pure."""

OPEN_CHANNEL = "OpenSecureChannel"

_NUMBERS = {
    "FindServers": (422, 425),
    "GetEndpoints": (428, 431),
    OPEN_CHANNEL: (446, 449),
    "CloseSecureChannel": (452, 455),
    "CreateSession": (461, 464),
    "ActivateSession": (467, 470),
    "CloseSession": (473, 476),
    "Browse": (527, 530),
    "BrowseNext": (533, 536),
    "Read": (631, 634),
    "Write": (673, 676),
    "CreateMonitoredItems": (751, 754),
    "ModifyMonitoredItems": (763, 766),
    "DeleteMonitoredItems": (781, 784),
    "CreateSubscription": (787, 790),
    "ModifySubscription": (793, 796),
    "Publish": (826, 829),
    "DeleteSubscriptions": (847, 850),
}
"""Of request and response."""

FAULT = "ServiceFault"
REQUESTS = {request: name for name, (request, _) in _NUMBERS.items()}
RESPONSES = {response: name for name, (_, response) in _NUMBERS.items()} | {397: FAULT}

SECRET = frozenset((OPEN_CHANNEL, "CreateSession", "ActivateSession"))
"""Services whose messages carry what keys are made of, the session's token, or a password."""
