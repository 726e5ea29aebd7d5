"""What commands show of enterprises is in the audit log, as what pages show is."""

from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.city.opening import system_ms
from gateway.cli.user import system_user

if TYPE_CHECKING:
    from gateway.relational.database import Database


Purpose = Annotated[
    str,
    typer.Option(
        "--purpose", envvar="QULINK_PURPOSE", help="What the rows are for; the audit log keeps it."
    ),
]


def note_rows(database: "Database", command: str, what: str = "", purpose: str = "") -> None:
    """Write down that a command gives out rows of enterprises, before it does.

    Args:
        database: of the city.
        command: as it is typed.
        what: of what; more of it.
        purpose: what the rows are for.
    """
    from gateway.city.access.audit import Action, note

    database.run_now(
        note, system_ms(), system_user(), Action.EXPORTED, command, _told(what, purpose)
    )


def note_look(database: "Database", command: str, uscc: str, purpose: str = "") -> None:
    """Write down that a command shows something of one enterprise, before it does.

    Args:
        database: of the city.
        command: as it is typed, with what it shows.
        uscc: of the enterprise.
        purpose: what it is looked at for.
    """
    from gateway.city.access.audit import Action, note

    database.run_now(note, system_ms(), system_user(), Action.VIEWED, uscc, _told(command, purpose))


def _told(detail: str, purpose: str) -> str:
    """The purpose first: what is long is cut."""
    purpose = " ".join(purpose.split())[:100]
    return f"{purpose}: {detail}" if purpose else detail
