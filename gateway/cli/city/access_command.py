"""``qulink city audit-log`` and ``… end-sessions``: who did what, and out with everybody."""

from datetime import datetime
from typing import Annotated

import typer

from gateway.cli.city.opening import DEFAULT, CityFile, load, opened, system_ms
from gateway.cli.user import system_user

_SINCE = typer.Option(formats=["%Y-%m-%d"], help="First day, as 2026-03-01, Asia/Shanghai.")


def register(city: typer.Typer) -> None:
    """Add the commands."""
    city.command("audit-log", epilog="Example: `qulink city audit-log --since 2026-03-01`")(_audit)
    city.command("end-sessions", epilog="Example: `qulink city end-sessions -c city.yaml`")(_end)


def _audit(
    since: Annotated[datetime | None, _SINCE] = None,
    config: CityFile = DEFAULT,
) -> None:
    """Print who did what: time, who, action, subject, detail.

    Written down are logins and logouts of the console, wrong tokens that came too often, sessions
    ended, gateways enrolled, renewed and revoked, corrections of frozen months.
    """
    from gateway.city.access.audit import EntryFilter, entries
    from gateway.core.days import SHANGHAI

    first = since.replace(tzinfo=SHANGHAI) if since else None
    since_ms = int(first.timestamp() * 1000) if first else 0
    with opened(load(config)) as database:
        found = database.run_now(entries, EntryFilter(since_ms=since_ms))
    for one in found:
        at = datetime.fromtimestamp(one.at_ms / 1000, SHANGHAI).isoformat(" ", "seconds")
        typer.echo(f"{at}\t{one.who}\t{one.action}\t{one.subject}\t{one.detail}")


def _end(config: CityFile = DEFAULT) -> None:
    """End all sessions of the console, within seconds; everybody has to show the token again."""
    from gateway.city.access.sessions import end_all

    with opened(load(config)) as database:
        ended = database.run_now(end_all, system_user(), system_ms())
    typer.echo(f"{ended} sessions ended")
