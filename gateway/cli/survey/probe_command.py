"""``qulink probe``: which devices are there, who they are, and what they let be read."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.edge.asking.opening import AsJson, print_json, refuse
from gateway.cli.survey.probing import Wish, probe
from gateway.cli.survey.progress import Progress

if TYPE_CHECKING:
    from gateway.drivers.spec import DriverSpec, SearchSpec

_Config = Annotated[
    Path | None,
    typer.Option("--config", help="The configuration; a gateway of it that runs is not disturbed."),
]
_Write = Annotated[
    str | None, typer.Option("--write", metavar="DEVICE", help="Add it as this device to --config.")
]
_AssetNo = Annotated[
    str | None, typer.Option("--asset-no", help="Ledger number of the machine, for --write.")
]
_Profile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        help="Machine profile for --write; default: the likeliest, or a table of what it gives.",
    ),
]
_Points = Annotated[
    bool, typer.Option("--points", help="For --write: a point table, whatever profile fits.")
]
_Force = Annotated[
    bool, typer.Option("--force", help="Although a gateway that runs uses the connection.")
]
_Progress = Annotated[
    Progress,
    typer.Option("--progress", help="As a bar on a terminal, or as JSON lines on standard error."),
]
_COMMON: dict[str, tuple[Any, Any]] = {
    "config": (_Config, None),
    "write": (_Write, None),
    "asset_no": (_AssetNo, None),
    "profile": (_Profile, None),
    "points": (_Points, False),
    "force": (_Force, False),
    "progress": (_Progress, Progress.BAR),
    "as_json": (AsJson, False),
}
_DOC = (
    "One request at a time with a pause between, so that nobody is flooded. Ctrl-C ends it and "
    "shows what was found. Proposes machine profiles that fit; --write adds the device to a "
    "configuration. Exit code 1: nobody answers or nothing could be written; 2: interrupted."
)


def register(root: typer.Typer) -> None:
    """Add the command, with a subcommand for each driver that can look for devices."""
    from gateway.drivers.registry import searchers

    group = typer.Typer(
        no_args_is_help=True, help="Look for devices, who they are, and what they let be read."
    )
    for name, spec in searchers().items():
        assert spec.search is not None  # noqa: S101 - or it could not
        example = f"Example: `qulink probe {name} {spec.search.example}`"
        group.command(name, epilog=example)(_command(name, spec, spec.search))
    root.add_typer(group, name="probe", epilog="Example: `qulink probe modbus tcp://192.0.2.7:502`")


def _command(name: str, spec: "DriverSpec", search: "SearchSpec") -> Callable[..., None]:
    """A command whose options are those of the driver, and those that all have."""

    def run(**given: Any) -> None:
        _run(name, given.pop("url"), given)

    url = Annotated[str, typer.Argument(help=f"Where to look, as {search.example}")]
    kinds = {"url": (url, inspect.Parameter.empty), **_own_options(search), **_COMMON}
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
            for key, (kind, default) in kinds.items()
        ]
    )
    run.__annotations__ = {key: kind for key, (kind, _) in kinds.items()}
    run.__doc__ = f"Look for devices of driver {name} ({spec.title_en}).\n\n{_DOC}"
    return run


def _run(driver: str, url: str, given: dict[str, Any]) -> None:
    as_json = given.pop("as_json")
    wish = Wish(**{key: given.pop(key) for key in _COMMON if key in given})
    if wish.write is not None and (wish.config is None or wish.asset_no is None):
        refuse("--write needs --config FILE and --asset-no NUMBER of the ledger")
    report = probe(driver, url, given, wish)
    if as_json:
        print_json(report.as_data())
    else:
        report.print()
    report.finish()


def _own_options(search: "SearchSpec") -> dict[str, tuple[Any, Any]]:
    from edge_config.mistakes.shape import declared

    options: dict[str, tuple[Any, Any]] = {}
    for name, key in declared(search.options).items():
        kind: Any = bool if isinstance(key.default, bool) else str
        default = key.default if kind is bool else str(key.default)
        help_ = f"{key.description[:1].upper()}{key.description[1:]}."
        words = f"--{name}/--no-{name}" if kind is bool else f"--{name.replace('_', '-')}"
        options[name] = (Annotated[kind, typer.Option(words, help=help_)], default)
    return options
