"""Which address is which page about people; none where nobody logs in by a name."""

from starlette.routing import Route

from edge_config.models.city import CityConfig
from gateway.city.access import links
from gateway.city.access.bearers import CityTokens
from gateway.city.access.principal import ScopeKind
from gateway.city.access.sessions import CitySessions
from gateway.city.console.context import ConsoleContext
from gateway.city.console.pages.people import account, outside, tokens, users
from gateway.city.console.pages.people.account import AccountPage
from gateway.city.console.pages.people.connected import Connections
from gateway.city.console.pages.people.connecting import ConnectingPage
from gateway.city.console.pages.people.guests import guest_paths, guest_roles, guest_routes
from gateway.city.console.pages.people.invitation import InvitationPage
from gateway.city.console.pages.people.outside import OutsidePage
from gateway.city.console.pages.people.tokens import TokenDesk, TokensPage
from gateway.city.console.pages.people.users import UsersPage
from gateway.city.ledger.codes import FUNCTIONAL_AREAS, Name, county_name
from gateway.web.pages import Pages


def routes(
    context: ConsoleContext, pages: Pages, kept: CitySessions, known: CityTokens
) -> list[Route]:
    """The pages of users, of a one-time link, of the own account and of API tokens."""
    if not kept.is_by_name:
        return []
    desk, config = TokenDesk(context, known), context.config.console.oidc
    connections = Connections(context, kept, config)
    own = AccountPage(context, pages, kept, desk, connections)
    all_users = UsersPage(context, pages, kept, known, connections)
    routes = []
    if config is not None:
        there = OutsidePage(context, pages, kept, config)
        connecting = ConnectingPage(connections, all_users, own, there)
        routes = [*outside.routes(there), *_connecting_routes(connecting)]
    return [
        *routes,
        *_user_routes(pages, all_users),
        *_invitation_routes(InvitationPage(context, pages)),
        *guest_routes(context, kept),
        *_token_routes(pages, TokensPage(pages, desk)),
        Route(account.ADDRESS, pages.endpoint(own.view), methods=["GET"]),
        Route(account.ADDRESS, own.change, methods=["POST"]),
        Route(f"{account.ADDRESS}/tokens", own.make_token, methods=["POST"]),
        Route(f"{account.ADDRESS}/tokens/revoke", own.revoke_token, methods=["POST"]),
    ]


def open_paths(context: ConsoleContext) -> tuple[str, ...]:
    """What is open to who has not logged in."""
    return (links.ADDRESS, *guest_paths(context.config))


def _user_routes(pages: Pages, page: UsersPage) -> list[Route]:
    return [
        Route(users.ADDRESS, pages.endpoint(page.view), methods=["GET"]),
        Route(f"{users.ADDRESS}/{{act}}", page.act, methods=["POST"]),
    ]


def _connecting_routes(page: ConnectingPage) -> list[Route]:
    own = f"{account.ADDRESS}/outside"
    return [
        Route(f"{users.ADDRESS}/outside/{{act}}", page.act, methods=["POST"]),
        Route(f"{own}/connect", page.begin, methods=["POST"]),
        Route(f"{own}/disconnect", page.end, methods=["POST"]),
    ]


def _invitation_routes(page: InvitationPage) -> list[Route]:
    address = f"{links.ADDRESS}/{{secret}}"
    return [
        Route(address, page.show, methods=["GET"]),
        Route(address, page.accept, methods=["POST"]),
    ]


def _token_routes(pages: Pages, page: TokensPage) -> list[Route]:
    return [
        Route(tokens.ADDRESS, pages.endpoint(page.view), methods=["GET"]),
        Route(tokens.ADDRESS, page.make, methods=["POST"]),
        Route(f"{tokens.ADDRESS}/revoke", page.revoke, methods=["POST"]),
    ]


def variables(config: CityConfig) -> dict[str, object]:
    """What templates are given of people."""
    outside_login = outside.outside_name(config.console)
    guests = guest_roles(config)
    return {"scope_name": scope_name, "outside_login": outside_login, "guests": guests}


def scope_name(kind: ScopeKind, key: str) -> Name:
    """What readers call one of the things that a scope names."""
    if kind is ScopeKind.COUNTIES:
        return county_name(key)
    if kind is ScopeKind.AREAS:
        return FUNCTIONAL_AREAS.get(key, Name(key, key))
    return Name(key, key)
