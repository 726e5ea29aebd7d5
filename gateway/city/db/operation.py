"""The day on which a city began: written once, and restored with the database.

Nothing before it is evidence, computed, frozen or shown: a city cannot know what machines did
before it ran, and what nobody knows is not 0 %.
"""

from datetime import date

from sqlalchemy import Connection, insert, select

from gateway.city.db.schema.operation import operation


class BeginningError(Exception):
    """A day on which the city cannot have begun; the message says why and what to do."""


def began_on(connection: Connection) -> date | None:
    """The Asia/Shanghai day on which the city began; None before its first enrolment."""
    return connection.scalar(select(operation.c.began_on))


def begin(connection: Connection, day: date) -> None:
    """Write the day on which the city began, unless one is written already."""
    if began_on(connection) is None:
        connection.execute(insert(operation).values(id=1, began_on=day))


def begin_as_configured(connection: Connection, day: date, today: date) -> None:
    """Write the configured day, or see that it is the one that was written once.

    Args:
        connection: the city's database.
        day: ``city.began_on``.
        today: Asia/Shanghai day.

    Raises:
        BeginningError: the day is in the future, or another one is written.
    """
    if day > today:
        raise BeginningError(f"city.began_on is {day}, in the future; today is {today}")
    begin(connection, day)
    written = began_on(connection)
    if written != day:
        raise BeginningError(
            f"city.began_on is {day}, but this city began on {written}, which its frozen rates "
            "rest on: write that day, or none"
        )
