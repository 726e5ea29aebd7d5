"""All sorts of papers, by name."""

from collections.abc import Mapping
from typing import Any

from gateway.city.ledger.agreements.sort import AGREEMENTS
from gateway.city.ledger.papers.sort import Sort
from gateway.city.ledger.schedules.sort import SCHEDULES
from gateway.city.ledger.stops.sort import STOPS

SORTS: Mapping[str, Sort[Any]] = {one.name: one for one in (STOPS, SCHEDULES, AGREEMENTS)}
