"""``qulink city alerts …``: what goes on, and whether messages about it arrive."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.city.opening import DEFAULT, CityFile, fail, load, opened, system_ms

if TYPE_CHECKING:
    from edge_config.models.city import CityConfig

_TEST = "Example: `qulink city alerts test mail --to wang.li@jxj.example.cn`"


def register(city: typer.Typer) -> None:
    """Add the commands."""
    alerts = typer.Typer(no_args_is_help=True, help="List alerts, and try how they are delivered.")
    alerts.command("list", epilog="Example: `qulink city alerts list --ended`")(_list)
    alerts.command("queue", epilog="Example: `qulink city alerts queue -c city.yaml`")(_queue)
    alerts.command("test", epilog=_TEST)(_test)
    city.add_typer(alerts, name="alerts")


def _list(
    *,
    ended: Annotated[bool, typer.Option("--ended", help="Those that have ended.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Lines at most.")] = 100,
    config: CityFile = DEFAULT,
) -> None:
    """List alerts, the newest first: since when, kind, what, why, who sees to it."""
    from gateway.city.access.principal import EVERYTHING
    from gateway.city.alerts.saying import subject_name, why
    from gateway.city.alerts.standing import listed
    from gateway.web.formats import moment

    with opened(load(config)) as database:
        found = database.run_now(listed, EVERYTHING, limit=limit, ended=ended)
    for one in found:
        columns = (moment(one.since_ms), one.kind.value, subject_name("en", one), why("en", one))
        typer.echo("\t".join((*columns, one.acknowledged_by or "-")))


def _queue(config: CityFile = DEFAULT) -> None:
    """Count messages by state: waiting, sent, refused, given-up, dropped, void."""
    from gateway.city.alerts.delivery.queue import states

    with opened(load(config)) as database:
        found = database.run_now(states)
    for state, number in sorted(found.items()):
        typer.echo(f"{state}\t{number}")


def _test(
    channel: Annotated[str, typer.Argument(help="'mail', or the name of a webhook.")],
    to: Annotated[str, typer.Option("--to", help="Address of a mail.")] = "",
    config: CityFile = DEFAULT,
) -> None:
    """Send a message that tells of nothing, by a channel of the configuration; past the queue.

    Exit code 1: it was not taken; says what came instead.
    """
    loaded = load(config)
    if channel == "mail":
        _test_mail(loaded, to)
    else:
        _test_hook(loaded, channel)


def _test_mail(config: "CityConfig", to: str) -> None:
    import secrets

    from gateway.city.alerts.delivery.contacts import ContactError, demand_allowed
    from gateway.city.alerts.delivery.mail import Mail, Post
    from gateway.city.alerts.delivery.outcome import DeliveryError
    from gateway.city.alerts.delivery.wording import body, subject

    mail = config.alerts.mail
    if mail is None:
        fail("the city sends no mails: 'alerts.mail' in its configuration says by which server")
    try:
        demand_allowed(mail, to)
    except ContactError:
        fail(f"mails may go to addresses of {', '.join(mail.domains)} only, not to {to!r}")
    if not to:
        fail("name an address: --to NAME@" + mail.domains[0])
    sent = Mail(
        to, subject(config, "zh", ()), body(config, "zh", ()), secrets.token_hex(16), system_ms()
    )
    try:
        asyncio.run(Post(mail).send(sent))
    except DeliveryError as error:
        fail(str(error))
    typer.echo(f"the mail server has taken a mail for {to}")


def _test_hook(config: "CityConfig", name: str) -> None:
    import secrets

    from gateway.city.alerts.delivery.outcome import DeliveryError
    from gateway.city.alerts.delivery.webhook import Hook
    from gateway.city.alerts.delivery.wording import for_programs

    hooks = {one.name: one for one in config.alerts.webhooks}
    if name not in hooks:
        known = ", ".join(["mail", *hooks])
        fail(f"there is no channel {name!r}; the configuration names {known}")
    key, now_ms = secrets.token_hex(16), system_ms()
    try:
        asyncio.run(Hook(hooks[name]).send(for_programs(config, key, (), now_ms), key, now_ms))
    except DeliveryError as error:
        fail(str(error))
    typer.echo(f"webhook {name} has taken a message without events")
