"""What commands show of enterprises is in the audit log, as what pages show is."""

from typing import TYPE_CHECKING

from gateway.cli.city.opening import system_ms
from gateway.cli.user import system_user

if TYPE_CHECKING:
    from gateway.relational.database import Database


def note_rows(database: "Database", command: str, what: str = "") -> None:
    """Write down that a command gives out rows of enterprises, before it does.

    Args:
        database: of the city.
        command: as it is typed.
        what: of what; more of it.
    """
    from gateway.city.access.audit import Action, note

    database.run_now(note, system_ms(), system_user(), Action.EXPORTED, command, what)


def note_look(database: "Database", command: str, uscc: str) -> None:
    """Write down that a command shows something of one enterprise, before it does.

    Args:
        database: of the city.
        command: as it is typed, with what it shows.
        uscc: of the enterprise.
    """
    from gateway.city.access.audit import Action, note

    database.run_now(note, system_ms(), system_user(), Action.VIEWED, uscc, command)
