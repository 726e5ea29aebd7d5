"""Which address is which page about people; none where nobody logs in by a name."""

from starlette.routing import Route

from gateway.city.access import links
from gateway.city.access.principal import ScopeKind
from gateway.city.access.sessions import CitySessions
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.people import account, users
from gateway.city.console.pages.people.account import AccountPage
from gateway.city.console.pages.people.invitation import InvitationPage
from gateway.city.console.pages.people.users import UsersPage
from gateway.city.ledger.codes import FUNCTIONAL_AREAS, Name, county_name
from gateway.web.pages import Pages


def routes(context: ConsoleContext, pages: Pages, kept: CitySessions) -> list[Route]:
    """The pages of users, of a one-time link and of the own password."""
    if not kept.is_by_name:
        return []
    known, invitation = UsersPage(context, pages, kept), InvitationPage(context, pages)
    own = AccountPage(context, pages, kept)
    return [
        Route(users.ADDRESS, pages.endpoint(known.view), methods=["GET"]),
        Route(f"{users.ADDRESS}/{{act}}", known.act, methods=["POST"]),
        Route(f"{links.ADDRESS}/{{secret}}", invitation.show, methods=["GET"]),
        Route(f"{links.ADDRESS}/{{secret}}", invitation.accept, methods=["POST"]),
        Route(account.ADDRESS, pages.endpoint(own.view), methods=["GET"]),
        Route(account.ADDRESS, own.change, methods=["POST"]),
    ]


def scope_name(kind: ScopeKind, key: str) -> Name:
    """What readers call one of the things that a scope names."""
    if kind is ScopeKind.COUNTIES:
        return county_name(key)
    if kind is ScopeKind.AREAS:
        return FUNCTIONAL_AREAS.get(key, Name(key, key))
    return Name(key, key)
