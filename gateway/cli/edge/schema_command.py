"""``qulink schema``: JSON Schema of a configuration for editors, and pages written from it."""

import json
from typing import Annotated, Literal

import typer

_HELP = """Print the JSON Schema of a configuration, or the reference in Markdown.

An editor that speaks YAML completes and checks with it: put the schema beside the configuration
and begin that with the line "# yaml-language-server: $schema=gateway.json".
"""


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command("schema", help=_HELP, epilog="Example: `qulink schema gateway > gateway.json`")(
        schema
    )


def schema(
    what: Annotated[
        Literal["gateway", "city", "node", "profile", "reference", "drivers"],
        typer.Argument(
            help="JSON Schema of an edge, a city, a node or a profile, or a page for people."
        ),
    ],
) -> None:
    """Print it, with the connections and addresses of the installed drivers."""
    from edge_config.reference.page import markdown
    from edge_config.reference.schema import (
        city_schema,
        gateway_schema,
        node_schema,
        profile_schema,
    )
    from gateway.drivers.quality import page
    from gateway.drivers.registry import installed

    schemas = {"gateway": gateway_schema, "profile": profile_schema}
    others = {"city": city_schema, "node": node_schema}
    try:
        if what == "reference":
            typer.echo(markdown(installed()), nl=False)
            return
        if what == "drivers":
            typer.echo(page.markdown(installed()), nl=False)
            return
        found = schemas[what](installed()) if what in schemas else others[what]()
    except (ImportError, TypeError) as error:
        typer.echo(f"an installed driver cannot be loaded: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
