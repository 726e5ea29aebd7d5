"""``qulink city audit-log``, ``… audit verify``, ``… end-sessions``: who did what; all out."""

from datetime import datetime
from typing import Annotated

import typer

from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, opened, system_ms
from gateway.cli.user import system_user

_SINCE = typer.Option(formats=["%Y-%m-%d"], help="First day, as 2026-03-01, Asia/Shanghai.")


def register(city: typer.Typer) -> None:
    """Add the commands."""
    city.command("audit-log", epilog="Example: `qulink city audit-log --since 2026-03-01`")(_audit)
    audit = typer.Typer(no_args_is_help=True, help="Verify the audit log.")
    audit.command("verify", epilog="Example: `qulink city audit verify -c city.yaml`")(_verify)
    city.add_typer(audit, name="audit")
    city.command("end-sessions", epilog="Example: `qulink city end-sessions -c city.yaml`")(_end)


def _audit(
    since: Annotated[datetime | None, _SINCE] = None,
    config: CityFile = DEFAULT,
) -> None:
    """Print who did what: time, who, action, subject, detail.

    Written down are logins and logouts of the console, wrong tokens that came too often, sessions
    ended, views of enterprises, exports, gateways enrolled, renewed and revoked, corrections of
    frozen months, changes of users.
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


def _verify(
    holds: Annotated[
        str, typer.Option(help="A digest of an earlier verification, which must still be there.")
    ] = "",
    config: CityFile = DEFAULT,
) -> None:
    """Check that no entry of the audit log was changed, removed or inserted.

    Entries are chained: each has a digest over the one before and itself. Keep the last digest
    elsewhere: with --holds it tells entries cut off at the end, too. Exit code 1: the log is not
    whole.
    """
    from gateway.city.access.chain import BEGIN, verify

    with opened(load(config)) as database:
        found = database.run_now(verify, holds or BEGIN)
    if found.broken is not None:
        fail(
            f"the audit log is broken at entry {found.broken}: it was changed or inserted, or "
            f"entries before it are gone; the {found.entries} before it are whole"
        )
    if not found.holds:
        fail(f"no entry has the digest {holds}: entries at the end are gone, or it is another log")
    typer.echo(f"{found.entries} entries are whole; the digest of the last is {found.digest}")


def _end(config: CityFile = DEFAULT) -> None:
    """End all sessions of the console, within seconds; everybody has to show the token again."""
    from gateway.city.access.sessions import end_all

    with opened(load(config)) as database:
        ended = database.run_now(end_all, system_user(), system_ms())
    typer.echo(f"{ended} sessions ended")
