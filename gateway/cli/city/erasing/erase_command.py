"""``qulink city erase USCC``: erase what the city holds of an enterprise, with a certificate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, opened, system_ms
from gateway.cli.running import RunByDefault
from gateway.cli.user import system_user

if TYPE_CHECKING:
    from edge_config.models.city import CityConfig
    from gateway.city.erasing.telling import Found
    from gateway.relational.database import Database

_ERASE_EXAMPLE = (
    "Example: `qulink city erase run 91330822MA0000015W --reason 合同终止 --document 9号 --apply`"
)
_VERIFY_EXAMPLE = "Example: `qulink city erase verify erasure-91330822MA0000015W-1.json`"
_LONGEST = 200
SETTLE_S = 15.0
"""A running city notices within 2 s that a gateway is revoked, and has written within 10 s more
what it had in its hands."""


def register(city: typer.Typer) -> None:
    """Add the commands."""
    erase = typer.Typer(
        cls=RunByDefault,
        no_args_is_help=True,
        help="Erase what the city holds of an enterprise (数据擦除).",
        epilog=_ERASE_EXAMPLE,
    )
    erase.command("run", epilog=_ERASE_EXAMPLE)(_erase)
    erase.command("verify", epilog=_VERIFY_EXAMPLE)(_verify)
    city.add_typer(erase, name="erase")


def _erase(
    enterprise: Annotated[str, typer.Argument(help="USCC of the enterprise.")],
    reason: Annotated[str, typer.Option(help="Why, in words.")] = "",
    document: Annotated[str, typer.Option(help="By which it is ordered.")] = "",
    apply: Annotated[
        bool, typer.Option("--apply", help="Do it; without, it is only told what would go.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder for the certificate.")] = Path(),
    config: CityFile = DEFAULT,
) -> None:
    """Erase values, evidence, declared values, people and credentials of an enterprise.

    Without --apply nothing is changed. Its gateways are revoked, its machines and identifiers
    withdrawn; frozen months keep their numbers, chains their digests. A run that was killed is
    taken up by the next one. Writes a certificate as JSON and as a page to print. The word 'run'
    may be left out.
    """
    import asyncio

    from gateway.city.erasing.key import KeyUnusableError
    from gateway.city.erasing.telling import ErasureError
    from gateway.city.stores.api import StoreError

    uscc, loaded = enterprise.upper(), load(config)
    order = (uscc, " ".join(reason.split()), " ".join(document.split()))
    if apply and not all(order):
        fail("say why and by which document: --reason … --document …; nothing was erased")
    if max(map(len, order)) > _LONGEST:
        fail(f"reason and document have at most {_LONGEST} characters each; nothing was erased")
    with opened(loaded) as database:
        try:
            if not apply:
                _tell(uscc, asyncio.run(_look(loaded, database, uscc)))
                return
            made = asyncio.run(_apply(loaded, database, order))
        except (ErasureError, KeyUnusableError, StoreError) as error:
            fail(str(error))
        except OSError as error:
            fail(f"cannot change {error.filename}: {error.strerror}; run the command again")
    _write(made, out)


async def _look(config: "CityConfig", database: "Database", uscc: str) -> "Found":
    from gateway.city.erasing.telling import look
    from gateway.city.stores.choose import make_store

    store = make_store(config.store, config.data_dir)
    await store.open()
    try:
        return await look(database, store, uscc)
    finally:
        await store.close()


async def _apply(
    config: "CityConfig", database: "Database", order: tuple[str, str, str]
) -> dict[str, Any]:
    from gateway.city.erasing.erasing import Erasing, Order
    from gateway.city.stores.choose import make_store

    store = make_store(config.store, config.data_dir)
    await store.open()
    try:
        work = Erasing(config, database, store, system_ms, SETTLE_S)
        return await work.run(Order(*order, made_by=system_user()))
    finally:
        await store.close()


def _tell(uscc: str, found: "Found") -> None:
    typer.echo(f"{uscc} {found.name}: would be erased")
    for name, count in (*found.values.items(), *found.rows.items()):
        if count:
            typer.echo(f"{name}\t{count}")
    typer.echo(f"gateways\t{' '.join(found.gateways) or 0}")
    typer.echo(f"users\t{' '.join(found.users) or 0}")
    typer.echo(f"identifiers to be withdrawn\t{found.identifiers}")
    typer.echo("nothing was changed; add --reason, --document and --apply to erase")


def _write(made: dict[str, Any], out: Path) -> None:
    import json

    from gateway.city.erasing.certificate import digest
    from gateway.city.erasing.printed import page

    stem = f"erasure-{made['enterprise']['uscc']}-{made['number']}"
    try:
        out.mkdir(parents=True, exist_ok=True)
        text = json.dumps(made, ensure_ascii=False, indent=2) + "\n"
        (out / f"{stem}.json").write_text(text, encoding="utf-8")
        (out / f"{stem}.html").write_text(page(made), encoding="utf-8")
    except OSError as error:
        fail(f"everything is erased; cannot write the certificate to {out}: {error.strerror}")
    typer.echo(f"erased; certificate {out / stem}.json and .html, SHA-256 {digest(made)}")


def _verify(
    file: Annotated[Path, typer.Argument(help="The certificate, .json.")],
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", envvar="QULINK_CITY", help="Ask this city's log, too."),
    ] = None,
) -> None:
    """Verify a certificate of erasure: that nothing of it was changed, and who signed it.

    With a city's configuration also: that its audit log has this certificate. Exit code 1: no.
    """
    import json

    from gateway.city.erasing.certificate import check, digest

    try:
        certificate = json.loads(file.read_text(encoding="utf-8"))
        signer = check(certificate)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        fail(f"{file}: {why}")
    known = digest(certificate)
    typer.echo(f"signed by the key {signer}")
    if config is None:
        typer.echo(f"nothing was changed since; compare {known} with the city's audit log")
        return
    from gateway.city.access.audit import Action, EntryFilter, entries

    with opened(load(config)) as database:
        uscc = certificate["enterprise"]["uscc"]
        found = database.read_now(entries, EntryFilter(Action.ERASED.value, subject=uscc))
    if not any(one.detail.endswith(known) for one in found):
        fail(f"{file}: this city's audit log has no certificate {known}")
    typer.echo("nothing was changed since, and the city's audit log has it")
