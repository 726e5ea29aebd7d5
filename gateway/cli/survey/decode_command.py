"""``qulink decode``: which type, order and scale make registers what a panel shows."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.edge.asking.opening import AsJson, print_json, refuse
from gateway.cli.survey.ranges import Range, open_range

if TYPE_CHECKING:
    from gateway.drivers.search import CandidateValue
    from gateway.edge.detective.ranking import Candidate
    from gateway.edge.detective.shown import Shown

Where = Annotated[
    str,
    typer.Argument(
        metavar="CONFIG|URL", help="The configuration (YAML), or where a device is reached."
    ),
]
Device = Annotated[str | None, typer.Argument(help="Device id, with a configuration.")]
Shows = Annotated[
    list[str] | None,
    typer.Option(
        help='What the panel shows, as "229.0 V"; several times: what it shows one after another.'
    ),
]


def register(root: typer.Typer) -> None:
    """Add the command."""
    example = 'Example: `qulink decode tcp://192.0.2.7:502?unit=1 --address 0 --shows "229.0 V"`'
    root.command("decode", epilog=example)(decode)


def decode(
    where: Where,
    device: Device = None,
    table: Annotated[str, typer.Option(help="In the driver's words, as holding or input.")] = "",
    address: Annotated[int, typer.Option(min=0, help="First register, as on the wire.")] = 0,
    count: Annotated[int, typer.Option(min=1, help="How many registers.")] = 20,
    shows: Shows = None,
    driver: Annotated[str, typer.Option(help="Driver of a URL.")] = "modbus",
    write: Annotated[
        str | None, typer.Option(metavar="NAME", help="Write the reading as a tag of the device.")
    ] = None,
    pick: Annotated[int, typer.Option(min=1, help="Which reading of the list to write.")] = 1,
    group: Annotated[str | None, typer.Option(help="Group that the tag is for.")] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="Readings that are shown.")] = 12,
    as_json: AsJson = False,
) -> None:
    """Read some registers and show what they may mean: each type, byte order and place, ranked.

    With --shows the readings that agree with a panel come first, also with another decimal point
    or k in the unit; with several --shows the registers are read anew for each, after Enter, and
    all must agree. --write adds the first reading, or the one of --pick, to the device's tags.
    Exit code 1: nothing was read, nothing fits, or nothing could be written.
    """
    from gateway.edge.detective.ranking import rank

    seen = _shown(shows or [])
    if write is not None and device is None:
        refuse("--write needs a configuration and a device of it")
    opened = open_range(where, device, driver, Range(table, address, count))
    looks = _looks(shows or [], opened.read)
    ranked = rank(looks, seen)
    _show(ranked[:most], opened.text, as_json=as_json)
    if not ranked:
        refuse("no reading of these registers agrees with the panel: try another range or table")
    if write is not None:
        if pick > len(ranked):
            refuse(f"there are {len(ranked)} readings; --pick {pick} is none of them")
        one = ranked[pick - 1]
        keys = _keys(write, one, seen)
        _write(Path(where), str(device), keys, one.address, opened.text(one.address), group)


def _shown(texts: Sequence[str]) -> "list[Shown]":
    from gateway.edge.detective.shown import parse_shown

    try:
        return [parse_shown(text) for text in texts]
    except ValueError as error:
        refuse(error)


def _looks(
    texts: Sequence[str], read: "Callable[[], Sequence[CandidateValue]]"
) -> "list[Sequence[CandidateValue]]":
    looks = []
    for number, text in enumerate(texts or [""]):
        if number:
            typer.prompt(f"Enter when the panel shows {text}", default="", show_default=False)
        looks.append(read())
    return looks


def _show(ranked: "Sequence[Candidate]", text: Callable[[Any], str], *, as_json: bool) -> None:
    rows = [_row(number, one, text(one.address)) for number, one in enumerate(ranked, start=1)]
    if as_json:
        print_json(rows)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from gateway.cli.tables import print_table

    heads = ("pick", "address", "value", "scale", "shows", "score", "doubt")
    table = Table(*heads)
    for row in rows:
        table.add_row(*(Text("" if row[head] is None else str(row[head])) for head in heads))
    print_table(Console(soft_wrap=True), table)


def _row(number: int, one: "Candidate", address: str) -> dict[str, Any]:
    return {
        "pick": number,
        "address": address,
        "value": one.values[-1],
        "scale": None if one.scale == 1 else one.scale,
        "shows": one.scaled,
        "score": round(one.score, 2),
        "doubt": one.doubt,
    }


def _keys(name: str, one: "Candidate", seen: "Sequence[Shown]") -> dict[str, Any]:
    keys: dict[str, Any] = {"name": name}
    if one.scale != 1:
        keys["scale"] = one.scale
    if seen and seen[-1].unit:
        keys["unit"] = seen[-1].unit
    return keys


def _write(
    config: Path, device: str, keys: dict[str, Any], address: Any, text: str, group: str | None
) -> None:
    from edge_config.mistakes.problems import ConfigError
    from edge_config.points.adding import new_tag, plan_with
    from gateway.cli.survey.configured import configured, demand_good
    from gateway.cli.survey.written import put
    from gateway.drivers.registry import installed

    try:
        _, found = configured(config, device)
        tag = new_tag(keys, address, text)
        plan = plan_with(tag, group, found, config)
        files = plan.files(config, installed()[found.config.driver])
        put(files, lambda: plan.demand_held(demand_good(config)))
    except (ConfigError, OSError) as error:
        refuse(error)
    typer.echo(f"wrote {keys['name']} ({text}) into {', '.join(file.name for file in files)}")
