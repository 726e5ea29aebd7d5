"""``qulink city token …``: API tokens, by which programs read in the name of a user."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, opened, system_ms
from gateway.cli.user import system_user

if TYPE_CHECKING:
    from edge_config.models.city import CityConfig
    from gateway.city.access.tokens import Wish

_ADD = "Example: `qulink city token add wang.li --for 'monthly report' --may figures`"
_MAY = "figures, enterprises, export; several with commas between them."
_SCOPE = "Of the user's rows these alone: 'county 330822', 'enterprise USCC …'."


def register(city: typer.Typer) -> None:
    """Add the commands."""
    token = typer.Typer(no_args_is_help=True, help="Make, list and revoke API tokens.")
    token.command("add", epilog=_ADD)(_add)
    token.command("list", epilog="Example: `qulink city token list -c city.yaml`")(_list)
    token.command("revoke", epilog="Example: `qulink city token revoke 3f9a1c22b7e0`")(_revoke)
    city.add_typer(token, name="token")


def _add(
    user: Annotated[str, typer.Argument(help="In whose name the program reads.")],
    purpose: Annotated[str, typer.Option("--for", help="What it is for.")],
    may: Annotated[str, typer.Option("--may", help=_MAY)] = "figures",
    scope: Annotated[str, typer.Option("--scope", help=_SCOPE)] = "",
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="It holds so long.")] = 90,
    config: CityFile = DEFAULT,
) -> None:
    """Make a token: it is printed once, and kept nowhere; its user's rights are its limits."""
    from gateway.city.access import tokens
    from gateway.city.access.principal import administrator

    loaded, wish = load(config), _wish(purpose, may, scope, days)
    by = administrator(system_user())
    made, text = _act(loaded, tokens.make, by=by, name=user, wish=wish, now_ms=system_ms())
    typer.echo(text)
    typer.echo(
        f"It is not shown again, and holds until {_when(made.until_ms)}: programs send it as "
        "'Authorization: Bearer …', never in an address.",
        err=True,
    )
    if not loaded.console.accounts:
        typer.echo("No token is taken before the city has 'console.accounts: true'.", err=True)


def _list(config: CityFile = DEFAULT) -> None:
    """List tokens: id, user, state, expiry, last use, what it may, its rows, what it is for."""
    from gateway.city.access import tokens

    now_ms = system_ms()
    with opened(load(config)) as database:
        found = database.run_now(tokens.listed)
    for one, owner in found:
        used = _when(one.used_ms) if one.used_ms else "never"
        may, rows = ",".join(sorted(one.permissions)), one.scope or "of its user"
        state = one.state(owner, now_ms)
        line = (one.id, owner.name, state, _when(one.until_ms), used, may, rows, one.purpose)
        typer.echo("\t".join(map(str, line)))


def _revoke(
    number: Annotated[str, typer.Argument(metavar="ID", help="As 'list' prints it.")],
    config: CityFile = DEFAULT,
) -> None:
    """End a token; programs that show it are refused within seconds."""
    from gateway.city.access import tokens
    from gateway.city.access.principal import administrator

    by = administrator(system_user())
    _act(load(config), tokens.revoke, by=by, number=number, now_ms=system_ms())
    typer.echo(f"{number} revoked")


def _wish(purpose: str, may: str, scope: str, days: int) -> "Wish":
    from gateway.city.access.principal import Permission, ScopeError, parse_scope
    from gateway.city.access.tokens import GRANTABLE, Wish

    asked = [word for word in may.replace(",", " ").split() if word]
    unknown = [word for word in asked if word not in GRANTABLE]
    if unknown:
        fail(f"a token cannot be given {', '.join(unknown)}; it may {', '.join(GRANTABLE)}")
    try:
        rows = parse_scope(scope) if scope else None
    except ScopeError as error:
        fail(str(error))
    return Wish(purpose, frozenset(map(Permission, asked)), rows, days)


def _act(config: "CityConfig", function: Callable[..., Any], **given: Any) -> Any:
    """Do something about tokens in one transaction; exits 1 with what is refused."""
    from gateway.city.access.tokens import TokenError
    from gateway.web.i18n import text

    try:
        with opened(config) as database:
            return database.run_now(function, **given)
    except TokenError as error:
        fail(text("en", f"token.refusal.{error.refusal}"))


def _when(at_ms: int) -> str:
    from gateway.core.days import SHANGHAI

    return datetime.fromtimestamp(at_ms / 1000, SHANGHAI).isoformat(" ", "minutes")
