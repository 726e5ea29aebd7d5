"""``qulink points``: point tables of devices and drivers, out of and into a configuration."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gateway.cli.edge.asking.opening import refuse
from gateway.cli.survey.configured import configured, demand_good
from gateway.cli.wording import counted

if TYPE_CHECKING:
    from edge_config.loading.resolved import ResolvedDevice
    from edge_config.points.incoming import Groups

Config = Annotated[Path, typer.Argument(help="The configuration of the gateway (YAML).")]
Device = Annotated[str, typer.Argument(help="Device id.")]
Table = Annotated[Path, typer.Argument(metavar="TABLE", help="The point table, .csv or .xlsx.")]
What = Annotated[
    str, typer.Argument(metavar="DRIVER|DEVICE", help="A driver; with --config a device of it.")
]
Group = Annotated[
    str | None, typer.Option(help="Group of the device; default: all, a sheet of a workbook each.")
]
OfConfig = Annotated[Path | None, typer.Option("--config", help="The configuration (YAML).")]
Language = Annotated[Literal["zh", "en"], typer.Option(help="Of the titles.")]
Form = Annotated[
    Literal["fields", "text"] | None,
    typer.Option(
        "--address",
        help="fields: a column for each part of the address, with drop-downs; text: one column.",
    ),
]
Conflicts = Annotated[
    Literal["refuse", "replace", "keep"],
    typer.Option(
        help="Of tags that are there otherwise: import nothing, take those of the table, or keep."
    ),
]


def register(root: typer.Typer) -> None:
    """Add the command with its subcommands."""
    points = typer.Typer(no_args_is_help=True, help="Point tables: tags as rows of a spreadsheet.")
    commands: dict[str, tuple[Callable[..., None], str]] = {
        "template": (template, "modbus points.xlsx"),
        "export": (export, "gateway.yaml press-1 points.xlsx"),
        "check": (check, "press-1 points.xlsx --config gateway.yaml"),
        "import": (import_, "gateway.yaml press-1 points.xlsx --dry-run"),
    }
    for name, (command, rest) in commands.items():
        points.command(name, epilog=f"Example: `qulink points {name} {rest}`")(command)
    root.add_typer(
        points, name="points", epilog="Example: `qulink points template modbus points.xlsx`"
    )


def template(
    what: What,
    table: Table,
    config: OfConfig = None,
    group: Group = None,
    language: Language = "zh",
    form: Form = None,
) -> None:
    """Write an empty point table: the columns of the driver, with drop-downs and notes."""
    from edge_config.points.outgoing import sheets_of, table_bytes
    from edge_config.points.texts import Style
    from gateway.drivers.registry import installed

    with _told():
        driver, device = _meant(what, config)
        style = Style(installed()[driver], form or "fields", language)
        groups: Groups = dict.fromkeys(_chosen(device, group), ())
        sheets = sheets_of(groups, style)
        _refuse_to_replace(table)
        table.write_bytes(table_bytes(sheets, table))
    typer.echo(f"{table}: {counted(len(sheets[0].columns), 'column')} for driver {driver}")


def export(
    config: Config,
    device: Device,
    table: Table,
    group: Group = None,
    language: Language = "zh",
    form: Form = None,
) -> None:
    """Write the tags of a device into a point table that reads back as exactly these."""
    from edge_config.points.outgoing import write_exact
    from gateway.drivers.registry import installed

    with _told():
        _, one = configured(config, device)
        chosen = _chosen(one, group)
        groups = {part.name: part.tags for part in one.groups if part.name in chosen}
        _refuse_to_replace(table)
        write_exact(table, groups, one, installed(), form=form, language=language)
    tags = sum(map(len, groups.values()))
    typer.echo(f"{table}: {counted(tags, 'tag')} of {device}, {_listed(groups)}")


def check(what: What, table: Table, config: OfConfig = None, group: Group = None) -> None:
    """Read a point table and tell every mistake by its row and column; nothing is written."""
    from edge_config.points.incoming import read_table, sheets_for
    from gateway.drivers.registry import installed

    with _told():
        driver, device = _meant(what, config)
        sheets = sheets_for(table, _chosen(device, None), group)
        groups, warnings = read_table(table, sheets, driver, installed(), device)
    for warning in warnings:
        typer.echo(f"warning: {warning}", err=True)
    where = f", {_listed(groups)}" if device else ""
    typer.echo(f"{table} is good: {counted(sum(map(len, groups.values())), 'tag')}{where}")


def import_(
    config: Config,
    device: Device,
    table: Table,
    group: Group = None,
    on_conflict: Conflicts = "refuse",
    delete_missing: Annotated[
        bool, typer.Option("--delete-missing", help="Delete tags that the table lacks.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what it would do.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take the tags of a point table into the configuration, all at once or not at all.

    Tells first what it will create, change, leave and delete, and asks. Other devices and groups,
    and comments, stay as they are. Exit code 1: something is wrong, and nothing was written.
    """
    from edge_config.points.plan import plan_import
    from gateway.cli.survey.written import put
    from gateway.drivers.registry import installed

    with _told():
        gateway, one = configured(config, device)
        rule = (group, on_conflict, delete_missing)
        plan = plan_import(table, gateway, one, installed(), *rule)
        for warning in plan.warnings:
            typer.echo(f"warning: {warning}", err=True)
        typer.echo("\n".join(plan.words()))
        if plan.is_refused:
            refuse("nothing was written: say --on-conflict replace, or keep, for these tags")
        files = plan.files(config, installed()[one.config.driver])
        typer.echo(f"writes {', '.join(map(_shown, files)) or 'nothing'}")
        if files and not dry_run:
            _ask(yes)
            put(files, lambda: plan.demand_held(demand_good(config)))
            typer.echo("imported; a gateway that runs takes it at its next start")


def _meant(what: str, config: Path | None) -> "tuple[str, ResolvedDevice | None]":
    """The driver, and with a configuration the device, that a word means."""
    from edge_config.mistakes.problems import hint
    from gateway.drivers.registry import installed

    if config is not None:
        _, device = configured(config, what)
        return device.config.driver, device
    if what not in installed():
        known = ", ".join(installed())
        more = hint(what, installed())
        refuse(
            f"no driver {what!r} is installed{more}; there are: {known}; a device needs --config"
        )
    return what, None


def _chosen(device: "ResolvedDevice | None", group: str | None) -> Sequence[str]:
    """The groups of a device, or the one of them that is asked for."""
    from edge_config.mistakes.problems import hint
    from edge_config.points.incoming import ALONE

    names = [part.name for part in device.groups] if device else [ALONE]
    if group is None or device is None:
        return names
    if group not in names:
        listed = ", ".join(names)
        refuse(f"{device.config.id} has no group {group!r}{hint(group, names)}; it has {listed}")
    return [group]


def _refuse_to_replace(table: Path) -> None:
    if table.exists():
        refuse(f"{table}: is there already; name another file, or move it away")


def _ask(yes: bool) -> None:
    import sys

    if not yes and not sys.stdin.isatty():
        refuse("nothing was written: say --yes where nobody can be asked")
    if not yes:
        typer.confirm("Import?", abort=True)


def _shown(file: Path) -> str:
    here = Path.cwd()
    return str(file.relative_to(here) if file.is_relative_to(here) else file)


def _listed(groups: "Groups") -> str:
    return "group" + "s" * (len(groups) > 1) + f" {', '.join(groups)}"


@contextmanager
def _told() -> Iterator[None]:
    """Tell what is wrong with files in words."""
    from edge_config.mistakes.problems import ConfigError

    try:
        yield
    except (ConfigError, ValueError) as error:
        refuse(error)
    except OSError as error:
        refuse(f"{error.filename or ''}: {error.strerror or error}")
