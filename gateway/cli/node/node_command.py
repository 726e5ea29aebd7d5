"""``qulink node CONFIG`` runs a node of identifiers."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.city.opening import system_ms
from gateway.cli.node import key_command, prefix_command, user_command
from gateway.cli.node.opening import DEFAULT, NodeFile, ask, load
from gateway.cli.running import RunByDefault, run_to_its_end


def register(root: typer.Typer) -> None:
    """Add the command with its subcommands."""
    node = typer.Typer(
        cls=RunByDefault,
        no_args_is_help=True,
        help="Run a node of identifiers, and keep its users and prefixes.",
        epilog="Example: `qulink node node.yaml`",
    )
    node.command("run", epilog="Example: `qulink node node.yaml`")(_run)
    user_command.register(node)
    prefix_command.register(node)
    key_command.register(node)
    node.command("stats", epilog="Example: `qulink node stats --hours 168`")(_stats)
    node.command("audit-log", epilog="Example: `qulink node audit-log --limit 50`")(_audit)
    root.add_typer(node, name="node")


def _run(config: Annotated[Path, typer.Argument(help="The node's YAML file.")]) -> None:
    """Run the node until SIGTERM or Ctrl-C; the word 'run' may be left out.

    Its log goes to standard error. Exit code 1: the configuration is wrong; 2: a part failed.
    """
    from edge_config.models.base import SecretUnavailableError
    from gateway.city.console import log
    from gateway.identifier.node import program
    from gateway.identifier.node.keeping.secrets import SealError
    from gateway.private import begin_private
    from gateway.relational.database import DatabaseUnusableError
    from gateway.web.listen import ListenError

    loaded = load(config, "")
    begin_private()
    log.begin()
    expected = (DatabaseUnusableError, SecretUnavailableError, SealError, ListenError, OSError)
    run_to_its_end(lambda: program.run_until_stopped(loaded, system_ms), "qulink node", expected)


def _stats(
    hours: Annotated[int, typer.Option(min=1, max=8_784, help="How far to look back.")] = 24,
    config: NodeFile = DEFAULT,
) -> None:
    """Print what was answered, by protocol and action: count, share of successes, times.

    The last seconds of a running node are not counted yet.
    """
    from gateway.core.days import HOUR_MS
    from gateway.identifier.node.keeping import counts, records

    since_ms = system_ms() - hours * HOUR_MS
    loaded = load(config)
    typer.echo(f"identifiers\t{ask(loaded, records.count)}")
    for one in ask(loaded, counts.figures, since_ms):
        outcomes = ", ".join(f"{count} {outcome}" for outcome, count in one.outcomes.items())
        times = f"p50 {one.p50_us} us\tp99 {one.p99_us} us"
        share = f"{one.success_rate:.2%}"
        typer.echo(f"{one.protocol}\t{one.action}\t{one.total}\t{share}\t{times}\t{outcomes}")


def _audit(
    limit: Annotated[int, typer.Option(min=1, help="So many of the newest.")] = 100,
    config: NodeFile = DEFAULT,
) -> None:
    """Print who did what, the newest last: time, who, action, subject, detail."""
    from gateway.core.days import SHANGHAI
    from gateway.identifier.node.keeping import audit

    for one in reversed(ask(load(config), audit.newest, limit)):
        at = datetime.fromtimestamp(one.at_ms / 1000, SHANGHAI).isoformat(" ", "seconds")
        typer.echo(f"{at}\t{one.who}\t{one.action}\t{one.subject}\t{one.detail}")
