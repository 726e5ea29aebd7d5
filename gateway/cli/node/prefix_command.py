"""``qulink node prefix …``: which enterprise has which prefix."""

from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.city.opening import fail
from gateway.cli.node.opening import DEFAULT, NodeFile, act, ask, demand_done, load

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.identifier.node.keeping.prefixes import State

_APPLY_EXAMPLE = "Example: `qulink node prefix apply 88.999.QZ01 --enterprise 虚构机械厂`"
_REFUSE_EXAMPLE = "Example: `qulink node prefix refuse 88.999.QZ01 --reason 材料不全`"
_SUSPEND_EXAMPLE = "Example: `qulink node prefix suspend 88.999.QZ01 --reason 已停业`"
_DELEGATE_EXAMPLE = "Example: `qulink node prefix delegate 88.999.QZ01 192.0.2.7:2641`"
Prefix = Annotated[str, typer.Argument(help="As 88.999.QZ01.")]
Reason = Annotated[str, typer.Option(help="Why; it is kept.")]


def register(node: typer.Typer) -> None:
    """Add the commands."""
    prefix = typer.Typer(no_args_is_help=True, help="Allot prefixes to enterprises.")
    prefix.command("list", epilog="Example: `qulink node prefix list -c node.yaml`")(_list)
    prefix.command("apply", epilog=_APPLY_EXAMPLE)(_apply)
    prefix.command("allot", epilog="Example: `qulink node prefix allot 88.999.QZ01`")(_allot)
    prefix.command("refuse", epilog=_REFUSE_EXAMPLE)(_refuse)
    prefix.command("suspend", epilog=_SUSPEND_EXAMPLE)(_suspend)
    prefix.command("delegate", epilog=_DELEGATE_EXAMPLE)(_delegate)
    node.add_typer(prefix, name="prefix")


def _list(config: NodeFile = DEFAULT) -> None:
    """List prefixes: prefix, state, enterprise, reason, the node it is delegated to."""
    from gateway.identifier.irp.data import read_site
    from gateway.identifier.node.keeping import prefixes

    for one in ask(load(config), prefixes.listed):
        servers = read_site(one.site).servers if one.site else ()
        to = ", ".join(server.address for server in servers)
        typer.echo(f"{one.prefix}\t{one.state}\t{one.enterprise}\t{one.reason}\t{to}")


def _apply(
    prefix: Prefix,
    enterprise: Annotated[str, typer.Option(help="As its users have it.")],
    config: NodeFile = DEFAULT,
) -> None:
    """Write down that an enterprise applies for a prefix; it waits for a decision."""
    from gateway.identifier.node.rights import allotting

    demand_done(act(config, allotting.apply, prefix, enterprise), "applied for")


def _decide(config: "Path", prefix: str, state: "State", reason: str) -> None:
    from gateway.identifier.node.rights import allotting

    demand_done(act(config, allotting.decide, prefix, state, reason), state.value)


def _allot(prefix: Prefix, reason: Reason = "", config: NodeFile = DEFAULT) -> None:
    """Allot a prefix to the enterprise that applied for it, or end its suspension."""
    from gateway.identifier.node.keeping.prefixes import State

    _decide(config, prefix, State.ALLOTTED, reason)


def _refuse(prefix: Prefix, reason: Reason, config: NodeFile = DEFAULT) -> None:
    """Refuse an application; the prefix may be applied for again, by anybody."""
    from gateway.identifier.node.keeping.prefixes import State

    _decide(config, prefix, State.REFUSED, reason)


def _suspend(prefix: Prefix, reason: Reason, config: NodeFile = DEFAULT) -> None:
    """Let nothing more be registered below a prefix; what is there resolves as before."""
    from gateway.identifier.node.keeping.prefixes import State

    _decide(config, prefix, State.SUSPENDED, reason)


def _delegate(
    prefix: Prefix,
    to: Annotated[
        str, typer.Argument(help="IP:PORT of the node that answers; 'here': this one again.")
    ],
    config: NodeFile = DEFAULT,
) -> None:
    """Name the node that answers natively for a prefix: TCP and UDP at one port."""
    from gateway.identifier.node.rights import allotting

    site = None if to == "here" else _site_at(to, prefix)
    demand_done(act(config, allotting.delegate, prefix, site), f"delegated to {to}:")


def _site_at(place: str, prefix: str) -> bytes:
    from ipaddress import ip_address

    from edge_config.models.base import split_listen
    from edge_config.models.identifiers.places import demand_place
    from gateway.identifier.irp.data import ASK, TCP, UDP, Interface, Server, Site, write_site

    try:
        host, port = split_listen(demand_place(place))
        address = str(ip_address(host))
    except ValueError as error:
        fail(f"{place} is no IP address with a port: {error}")
    server = Server(1, address, (Interface(ASK, TCP, port), Interface(ASK, UDP, port)))
    return write_site(Site((server,), attributes=(("desc", f"qulink {prefix}"),)))
