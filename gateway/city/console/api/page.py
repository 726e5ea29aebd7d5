"""The page about the API: what can be asked for, for people who write programs."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request

from gateway.city.access.tokens import DAYS
from gateway.city.console.api.declaring import BASE, Operation
from gateway.city.console.api.document import ADDRESS, places
from gateway.city.console.api.pace import BURST, PER_SECOND
from gateway.web.pages import View

PAGE = "/api"


@dataclass(frozen=True, slots=True)
class Shown:
    """An operation as the page shows it; texts are keys of the catalogue."""

    name: str
    path: str
    needs: Sequence[str]
    parameters: Sequence[str]


class ApiPage:
    """The page.

    Args:
        operations: that are answered.
    """

    def __init__(self, operations: Sequence[Operation]) -> None:
        self._shown = [
            Shown(
                one.name,
                BASE + one.path,
                [str(need) for need in one.needs],
                [*places(one.path), *one.asked.model_fields],
            )
            for one in operations
        ]

    async def view(self, _request: Request) -> View:
        """All operations."""
        data = {"operations": self._shown, "document": ADDRESS, "days": DAYS}
        return View("api.html", data | {"burst": BURST, "per_second": int(PER_SECOND)})
