"""``qulink id carrier``: active identifier carriers (主动标识载体), made of files."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, opened, system_ms
from gateway.cli.wording import visible

if TYPE_CHECKING:
    from gateway.identifier.carriers.software import SoftwareCarrier

MAX_REPORT = 16 * 1024 * 1024
"""Octets of a file that is signed or verified."""
Folder = Annotated[Path, typer.Argument(help="The carrier's folder.")]


class Kind(StrEnum):
    """Choices of ``--algorithm``; known here, so that ``--help`` need not load cryptography."""

    ECDSA = "ecdsa"
    RSA = "rsa"


def register(group: typer.Typer) -> None:
    """Add the command with its subcommands."""
    carrier = typer.Typer(no_args_is_help=True, help="Active identifier carriers (主动标识载体).")
    made = "Example: `qulink id carrier create carrier-1 --serial SN-0001`"
    carrier.command("create", epilog=made)(create)
    written = "Example: `qulink id carrier write carrier-1 --enterprise 91330822MA0000015W "
    carrier.command("write", epilog=f"{written}--asset A-001`")(write)
    carrier.command("show", epilog="Example: `qulink id carrier show carrier-1`")(show)
    carrier.command("sign", epilog="Example: `qulink id carrier sign carrier-1 data.json report`")(
        sign
    )
    checked = "Example: `qulink id carrier verify report --certificate carrier-1/certificate.pem`"
    carrier.command("verify", epilog=checked)(verify)
    group.add_typer(carrier, name="carrier")


def create(
    folder: Folder,
    serial: Annotated[str, typer.Option(help="Serial number of the carrier.")],
    algorithm: Annotated[Kind, typer.Option(help="Of its key.")] = Kind.ECDSA,
) -> None:
    """Make a carrier in a folder: a key that stays there, and its certificate."""
    from gateway.identifier.carriers.software import Algorithm, SoftwareCarrier

    with _told():
        SoftwareCarrier.create(folder, serial, Algorithm(algorithm.value))
    typer.echo(f"carrier {serial} made in {folder}; hand out {folder / 'certificate.pem'} only")


def write(
    folder: Folder,
    enterprise: Annotated[str, typer.Option(help="USCC of the enterprise.")],
    asset: Annotated[str, typer.Option(help="Asset number of its machine.")],
    site: Annotated[str, typer.Option(help="Site number of the machine.")] = "1",
    config: CityFile = DEFAULT,
) -> None:
    """Write a machine's identifier, as a node has confirmed it, into its carrier."""
    from gateway.city.identifiers.labelled import handle_of
    from gateway.city.ledger.names import MachineName
    from gateway.core.days import day_of
    from gateway.identifier.codes.handle import Handle

    name = MachineName(enterprise.upper(), site, asset)
    with opened(load(config)) as database:
        handle = database.read_now(handle_of, name, day_of(system_ms()))
    if handle is None:
        fail(
            f"{asset} of {enterprise}, site {site}, has no identifier that a node has confirmed; "
            "`qulink id status` and `qulink ledger list` say why"
        )
    with _told():
        _opened(folder).write_identifier(Handle.parse(handle))
    typer.echo(f"{handle} written into {folder}")


def show(
    folder: Folder, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False
) -> None:
    """Show a carrier's serial number, identifier, and the SHA-256 of its certificate."""
    import hashlib

    with _told():
        carrier = _opened(folder)
    handle = carrier.read_identifier()
    told = {
        "serial": carrier.read_serial(),
        "identifier": None if handle is None else str(handle),
        "certificate_sha256": hashlib.sha256(carrier.read_certificate()).hexdigest(),
    }
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    for key, value in told.items():
        typer.echo(f"{key:<19} {visible(value or '–')}")


def sign(
    folder: Folder,
    data: Annotated[Path, typer.Argument(help="File with what the machine reports.")],
    report: Annotated[
        Path, typer.Argument(help="File for the report; its signature is beside it, .sig.")
    ],
) -> None:
    """Write a report, the identifier before the data, and the carrier's signature over both."""
    from gateway.identifier.carriers.signing import report_of

    with _told():
        made, signature = report_of(_opened(folder), _read(data))
        report.write_bytes(made.octets)
        _signature_of(report).write_bytes(signature)
    typer.echo(f"{report} signed under {made.handle}, signature in {_signature_of(report)}")


def verify(
    report: Annotated[Path, typer.Argument(help="The report; its signature is beside it, .sig.")],
    certificate: Annotated[Path, typer.Option(help="Of the carrier, as it was handed over.")],
) -> None:
    """Say whose report it is. Exit code 1: it is not this carrier's, or was changed."""
    from cryptography.x509 import load_pem_x509_certificate

    from gateway.identifier.carriers.signing import verified

    with _told():
        octets, signature = _read(report), _read(_signature_of(report))
        try:
            known = load_pem_x509_certificate(_read(certificate))
        except ValueError as error:
            fail(f"{certificate} is no certificate in PEM: {error}")
        found = verified(octets, signature, known)
    typer.echo(f"{report} is signed by this carrier under {visible(str(found.handle))}")


def _signature_of(report: Path) -> Path:
    return report.with_name(f"{report.name}.sig")


@contextmanager
def _told() -> Iterator[None]:
    """Print why a carrier or a file cannot be used, and end."""
    from gateway.identifier.carriers.carrier import CarrierError

    try:
        yield
    except CarrierError as error:
        fail(visible(str(error)))
    except OSError as error:
        fail(f"{error.filename}: {error.strerror or error}")


def _opened(folder: Path) -> "SoftwareCarrier":
    from gateway.identifier.carriers.software import SoftwareCarrier

    return SoftwareCarrier(folder)


def _read(file: Path) -> bytes:
    with file.open("rb") as stream:
        body = stream.read(MAX_REPORT + 1)
    if len(body) > MAX_REPORT:
        fail(f"{file} is larger than {MAX_REPORT // 1_048_576} MiB; split it")
    return body
