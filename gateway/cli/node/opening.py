"""What commands about a node share: which configuration, its database, and who acts."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from gateway.cli.city.opening import fail, system_ms
from gateway.cli.user import system_user

if TYPE_CHECKING:
    from edge_config.models.identifiers.node import NodeConfig
    from gateway.identifier.registering.registry import Result

T = TypeVar("T")

NodeFile = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="QULINK_NODE", help="The node's YAML file."),
]
DEFAULT = Path("node.yaml")


def load(
    config: Path, hint: str = "\n(name another node with --config or QULINK_NODE)"
) -> "NodeConfig":
    """The node's configuration; exits 1 with every mistake and a hint."""
    from edge_config.loading.load import load_node
    from edge_config.mistakes.problems import ConfigError

    try:
        return load_node(config)
    except ConfigError as error:
        fail(f"{error}{hint}")


def act(config: Path, function: Callable[..., T], *args: Any) -> T:
    """Do something at a node as its administrator, who is whoever may use its database.

    Args:
        config: the node's file.
        function: of a connection and a visit, as in ``gateway/identifier/node/rights``.
        args: what follows.
    """
    from gateway.identifier.node.keeping.users import Role
    from gateway.identifier.node.program import terms_of
    from gateway.identifier.node.rights.principal import Principal, Visit

    loaded = load(config)
    principal = Principal(system_user(), Role.ADMINISTRATOR)
    return ask(loaded, function, Visit(principal, terms_of(loaded), system_ms()), *args)


def ask(loaded: "NodeConfig", function: Callable[..., T], *args: Any) -> T:
    """Call a function of a connection to a node's database; exits 1 if it cannot be used."""
    from sqlalchemy.exc import SQLAlchemyError

    from edge_config.models.base import SecretUnavailableError
    from gateway.identifier.node.program import database_of
    from gateway.relational.database import DatabaseUnusableError, words

    try:
        database = database_of(loaded)
    except (DatabaseUnusableError, SecretUnavailableError) as error:
        fail(str(error))
    try:
        return database.run_now(function, *args)
    except SQLAlchemyError as error:
        fail(f"the node's database: {words(error)}")
    finally:
        database.close()


def demand_done(result: "Result", what: str) -> None:
    """Say what was done; exits 1 with the reason if it was not."""
    from gateway.identifier.registering.registry import Outcome

    if result.outcome is not Outcome.OK:
        fail(f"{result.handle}: {result.message}")
    typer.echo(f"{what} {result.handle}")
