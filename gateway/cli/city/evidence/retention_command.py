"""``qulink city retention``: how long values are kept, as promised and as the store has it."""

from typing import TYPE_CHECKING

import typer

from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, system_ms
from gateway.cli.wording import visible

if TYPE_CHECKING:
    from edge_config.models.city import CityConfig
    from gateway.city.evidence.auditing.reach import Reach

_EXAMPLE = "Example: `qulink city retention -c city.yaml`"


def register(city: typer.Typer) -> None:
    """Add the command."""
    city.command("retention", epilog=_EXAMPLE)(_retention)


def _retention(config: CityFile = DEFAULT) -> None:
    """Ask the time-series store how long it keeps values, and compare it with what is promised.

    Promised is 'retention.telemetry_days'. Nothing is changed.

    Exit code 1: it keeps them shorter or longer, or does not tell.
    """
    import asyncio

    loaded = load(config)
    found = asyncio.run(_asked(loaded))
    typer.echo(f"retention.telemetry_days\t{found.promised}")
    typer.echo(f"store ({loaded.store.type})\t{_kept(found)}")
    typer.echo(f"evidence can be audited from\t{found.since or 'unknown'}")
    if problem := _problem(found):
        fail(problem)


async def _asked(config: "CityConfig") -> "Reach":
    from edge_config.models.base import SecretUnavailableError
    from gateway.city.evidence.auditing.reach import reach
    from gateway.city.stores.api import StoreError
    from gateway.city.stores.choose import make_store

    store = make_store(config.store, config.data_dir)
    try:
        await store.open()
        return await reach(store, config.retention.telemetry_days, system_ms())
    except (StoreError, SecretUnavailableError) as error:
        fail(f"qulink city retention: {error}")
    finally:
        await store.close()


def _kept(found: "Reach") -> str:
    if found.kept is not None:
        return f"{found.kept}"
    return "unknown" if found.since is None else "for ever"


def _problem(found: "Reach") -> str:
    do = f"set the store's own retention to {found.promised} days, or change the setting"
    match found.standing:
        case "shorter":
            return f"before {found.since} there are no values to audit evidence by: {do}"
        case "longer" | "ever":
            return f"values are not deleted when it is promised: {do}"
        case "unknown":
            return f"how long values are kept is unknown: {visible(found.why)}"
        case _:
            return ""
