"""How the processes of a city write their one log: to standard error, in one format."""

import logging

_NOISY = ("httpx", "alembic", "httpcore")


def begin() -> None:
    """Set it up, once a process."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
