"""``qulink id labels``: labels of machines, to print."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.city.noting import Purpose, note_rows
from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, opened

Output = Annotated[
    Path, typer.Argument(help="File: .pdf or .png (sheets of A4), .zpl (label printers).")
]


def register(group: typer.Typer) -> None:
    """Add the command."""
    example = "Example: `qulink id labels labels.pdf --size 50x30 --enterprise 91330822MA0000015W`"
    group.command("labels", epilog=example)(labels)


def labels(
    output: Output,
    config: CityFile = DEFAULT,
    enterprise: Annotated[str, typer.Option(help="Only this enterprise, by USCC.")] = "",
    size: Annotated[str, typer.Option(help="Of a label: width x height in mm.")] = "50x30",
    dpi: Annotated[
        int, typer.Option(min=100, max=1200, help="Of pictures, or of the label printer.")
    ] = 203,
    purpose: Purpose = "",
) -> None:
    """Draw a label for each machine whose identifier a node has confirmed.

    A QR code with what people read beside it: name, asset number, enterprise, identifier. With
    `identifier.page_url` a phone that scans it opens the machine's page. Exit code 1: no machine
    has one, or the file cannot be written.
    """
    from gateway.city.access.principal import EVERYTHING
    from gateway.city.identifiers.labelled import labels_of
    from gateway.identifier.labels.files import KINDS, files
    from gateway.identifier.labels.label import Size

    if output.suffix.lower() not in KINDS:
        fail(f"{output}: the ending says what is made, one of {', '.join(KINDS)}")
    try:
        of_each = Size.parse(size)
    except ValueError as error:
        fail(str(error))
    city = load(config)
    with opened(city) as database:
        page_url = city.identifier.page_url
        note_rows(database, "qulink id labels", enterprise.upper() or "all", purpose)
        found = database.run_now(labels_of, EVERYTHING, page_url, enterprise.upper())
    if not found:
        fail(
            "no machine has an identifier that a node has confirmed: `qulink ledger list` says why"
        )
    try:
        made = [file for file, data in files(found, of_each, output, dpi) if file.write_bytes(data)]
    except OSError as error:
        fail(f"cannot write the labels: {error}")
    typer.echo(f"{len(found)} labels of {size} mm in {', '.join(map(str, made))}")
