"""The data agreements that the gateways go by, as the database has them."""

from collections.abc import Mapping

from sqlalchemy import Connection

from gateway.city.ingest.enrolled.gateway import Gateway
from gateway.city.ledger.agreements.agreement import Terms
from gateway.city.ledger.agreements.held import all_terms, newest_entry

_NOTHING = Terms()


class Agreements:
    """What is agreed with each enterprise; read again when there is a new entry.

    Args:
        is_demanded: whether nothing is kept of an enterprise without any agreement.
    """

    def __init__(self, *, is_demanded: bool) -> None:
        self._without = _NOTHING if is_demanded else None
        self._newest = 0
        self._terms: Mapping[str, Terms] = {}

    def read(self, connection: Connection) -> None:
        """Read them if anything is new."""
        newest = newest_entry(connection)
        if newest != self._newest:
            self._terms, self._newest = all_terms(connection), newest

    def bind(self, gateway: Gateway) -> None:
        """Have a gateway go by what is agreed now."""
        gateway.agree(self._terms.get(gateway.enrolment.uscc, self._without))
