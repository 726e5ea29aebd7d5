"""``qulink city user …``: who may log in to the console."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, opened, system_ms
from gateway.cli.user import system_user

if TYPE_CHECKING:
    from edge_config.models.city import CityConfig
    from gateway.city.access.principal import Principal, Role, Scope

Name = Annotated[str, typer.Argument(help="The name that the user logs in by.")]
RoleName = Annotated[
    str,
    typer.Option(
        "--role",
        help="administrator, bureau-officer, county-officer, park-operator, enterprise, auditor "
        "or integrator.",
    ),
]
ScopeText = Annotated[
    str,
    typer.Option(
        "--scope",
        help="Whose rows: 'all', 'county 330822 330881', 'area QZ-ZZXC', 'enterprise USCC …'.",
    ),
]
_ADD = "Example: `qulink city user add wang.li --role county-officer --scope 'county 330822'`"
_SCOPE = "Example: `qulink city user scope wang.li --role county-officer --scope 'county 330881'`"

_CONNECT = "Example: `qulink city user connect wang.li 248289761001`"


def register(city: typer.Typer) -> None:
    """Add the commands."""
    user = typer.Typer(no_args_is_help=True, help="Invite, list, change and disable users.")
    user.command("add", epilog=_ADD)(_add)
    user.command("list", epilog="Example: `qulink city user list -c city.yaml`")(_list)
    user.command("scope", epilog=_SCOPE)(_scope)
    user.command("reset", epilog="Example: `qulink city user reset wang.li`")(_reset)
    user.command("disable", epilog="Example: `qulink city user disable wang.li`")(_disable)
    user.command("connect", epilog=_CONNECT)(_connect)
    user.command("link", epilog="Example: `qulink city user link -c city.yaml`")(_link)
    city.add_typer(user, name="user")


def _add(
    name: Name,
    role: RoleName,
    scope: ScopeText = "all",
    display_name: Annotated[str, typer.Option("--display-name", help="Of the person.")] = "",
    config: CityFile = DEFAULT,
) -> None:
    """Invite a user: prints a link by which the user chooses a password, once, in three days."""
    from gateway.city.access import links
    from gateway.city.access.users import User

    now_ms, loaded = system_ms(), load(config)
    of, whose = _given(role, scope)
    user = User(name, display_name or name, of, whose, now_ms, system_user(), None, True)
    _tell_link(loaded, _act(loaded, links.invite, by=_acting(), user=user))


def _list(config: CityFile = DEFAULT) -> None:
    """List users: name, role, scope, state, name of the person."""
    from gateway.city.access import users

    with opened(load(config)) as database:
        found = database.run_now(users.listed)
    for one in found:
        state = "disabled" if one.disabled_ms else "invited" if one.is_invited else "active"
        typer.echo(f"{one.name}\t{one.role}\t{one.scope}\t{state}\t{one.display_name}")


def _scope(name: Name, role: RoleName, scope: ScopeText, config: CityFile = DEFAULT) -> None:
    """Give a user another role and scope; its sessions end within seconds."""
    from gateway.city.access import users

    of, whose = _given(role, scope)
    given = {"by": _acting(), "now_ms": system_ms(), "name": name, "role": of, "scope": whose}
    _act(load(config), users.change, **given)
    typer.echo(f"{name} is {of} of {whose}")


def _reset(name: Name, config: CityFile = DEFAULT) -> None:
    """Take a user's password away and print a new link; one that was disabled is invited again."""
    from gateway.city.access import links

    loaded = load(config)
    given = {"by": _acting(), "now_ms": system_ms(), "name": name}
    _tell_link(loaded, _act(loaded, links.invite_again, **given))


def _disable(name: Name, config: CityFile = DEFAULT) -> None:
    """Let a user log in no more; its sessions end within seconds. The name is never another's."""
    from gateway.city.access import users

    _act(load(config), users.disable, by=_acting(), now_ms=system_ms(), name=name)
    typer.echo(f"{name} disabled")


def _connect(
    name: Name,
    subject: Annotated[str, typer.Argument(help="As the provider names the person: 'sub'.")],
    config: CityFile = DEFAULT,
) -> None:
    """Let a person log in as a user by the OpenID Connect provider, besides by password."""
    from gateway.city.access.outside.knowing import link

    loaded = load(config)
    oidc = loaded.console.oidc
    if oidc is None:
        fail("the city has no provider: 'console.oidc' in its configuration names one")
    given = {"issuer": oidc.issuer, "subject": subject, "name": name, "now_ms": system_ms()}
    _act(loaded, link, by=_acting(), **given)
    typer.echo(f"{subject} of {oidc.issuer} is {name}")


def _link(config: CityFile = DEFAULT) -> None:
    """Print a new link for the first administrator; an earlier one ends."""
    from gateway.city.access import links

    loaded = load(config)
    secret = _act(loaded, links.invite_first, now_ms=system_ms(), anew=True)
    if secret is None:
        fail("there are users already; 'qulink city user reset NAME' makes a link for one of them")
    _tell_link(loaded, secret)


def _given(role: str, scope: str) -> tuple["Role", "Scope"]:
    from gateway.city.access.principal import Role, ScopeError, parse_scope

    if role not in list(Role):
        fail(f"'{role}' is no role; roles are {', '.join(Role)}")
    try:
        return Role(role), parse_scope(scope)
    except ScopeError as error:
        fail(str(error))


def _acting() -> "Principal":
    from gateway.city.access.principal import administrator

    return administrator(system_user())


def _act(config: "CityConfig", function: Callable[..., Any], **given: Any) -> Any:
    """Do something about users in one transaction; exits 1 with what is refused."""
    from gateway.city.access.principal import ScopeError
    from gateway.city.access.users import UserError
    from gateway.web.i18n import text

    try:
        with opened(config) as database:
            return database.run_now(function, **given)
    except UserError as error:
        fail(text("en", f"refusal.{error.refusal}"))
    except ScopeError as error:
        fail(str(error))


def _tell_link(config: "CityConfig", secret: str) -> None:
    from gateway.city.access.links import link_of

    typer.echo(link_of(config.console, secret))
    typer.echo(
        "It holds for three days, opens once, and is not kept: hand it over in person.", err=True
    )
    if not config.console.accounts:
        typer.echo("Nobody logs in by name before the city has 'console.accounts: true'.", err=True)
