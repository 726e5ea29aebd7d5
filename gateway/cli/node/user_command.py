"""``qulink node user …`` and ``qulink node credential …``: who may do what at a node."""

import sys
from typing import Annotated, Literal

import typer

from gateway.cli.node.opening import DEFAULT, NodeFile, act, ask, demand_done, load

_ADD_EXAMPLE = "Example: `qulink node user add qz01 --role enterprise --enterprise 虚构机械厂`"
_MAKE_EXAMPLE = "Example: `qulink node credential make qz01-mes --user qz01`"
Name = Annotated[str, typer.Argument(help="The user's name.")]
Application = Annotated[str, typer.Argument(help="The name by which the application logs in.")]


def register(node: typer.Typer) -> None:
    """Add the commands."""
    user = typer.Typer(no_args_is_help=True, help="Add, list and disable users.")
    user.command("add", epilog=_ADD_EXAMPLE)(_add)
    user.command("list", epilog="Example: `qulink node user list -c node.yaml`")(_list)
    user.command("password", epilog="Example: `qulink node user password qz01 < secret`")(_password)
    user.command("disable", epilog="Example: `qulink node user disable qz01`")(_disable)
    node.add_typer(user, name="user")
    credential = typer.Typer(no_args_is_help=True, help="Let applications log in for a user.")
    credential.command("make", epilog=_MAKE_EXAMPLE)(_make)
    credential.command("revoke", epilog="Example: `qulink node credential revoke qz01-mes`")(
        _revoke
    )
    node.add_typer(credential, name="credential")


def _add(
    name: Name,
    role: Annotated[
        Literal["administrator", "reviewer", "enterprise"],
        typer.Option(help="Keeps users, decides on prefixes, or registers below its own."),
    ],
    enterprise: Annotated[str, typer.Option(help="For which an enterprise's user acts.")] = "",
    config: NodeFile = DEFAULT,
) -> None:
    """Add a user, who cannot log in before it has a password or an application."""
    from gateway.identifier.node.keeping.users import Role
    from gateway.identifier.node.rights import accounts

    demand_done(act(config, accounts.add, name, Role(role), enterprise), "added")


def _list(config: NodeFile = DEFAULT) -> None:
    """List users: name, role, state, enterprise."""
    from gateway.identifier.node.keeping import users

    for one in ask(load(config), users.listed):
        state = "active" if one.disabled_ms is None else "disabled"
        typer.echo(f"{one.name}\t{one.role}\t{state}\t{one.enterprise}")


def _password(name: Name, config: NodeFile = DEFAULT) -> None:
    """Give a user the password that is read from standard input, one line; its logins end."""
    from gateway.identifier.node.rights import accounts

    if sys.stdin.isatty():
        given = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        given = sys.stdin.readline()
    done = act(config, accounts.set_password, name, str(given).rstrip("\r\n"))
    demand_done(done, "password set for")


def _disable(name: Name, config: NodeFile = DEFAULT) -> None:
    """Let a user and its applications log in no more; the name is never another's."""
    from gateway.identifier.node.rights import accounts

    demand_done(act(config, accounts.disable, name), "disabled")


def _make(
    name: Application,
    user: Annotated[str, typer.Option(help="For whom it acts.")],
    config: NodeFile = DEFAULT,
) -> None:
    """Let an application log in, or give it a new secret; prints it once."""
    from gateway.identifier.node.rights import accounts

    result, secret = act(config, accounts.make_credential, name, user)
    demand_done(result, "credential of")
    typer.echo(f"username: {name}")
    typer.echo(f"password: {secret}")
    typer.echo("This password is shown once; the node keeps a hash of it only.")


def _revoke(name: Application, config: NodeFile = DEFAULT) -> None:
    """Let an application log in no more; all logins of its user end."""
    from gateway.identifier.node.rights import accounts

    demand_done(act(config, accounts.revoke_credential, name), "revoked")
