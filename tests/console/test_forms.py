"""Every form of the console, with what people and programs write into it."""

import re

import httpx

from gateway.city.access.principal import Role
from tests.console.test_scopes import City, _filled, _routes, city
from tests.console.town import uscc_of

__all__ = ["city"]
SHOWING = (
    "/users", "/account", "/tokens", "/watch", "/ledger/import", "/identifiers",
    "/identifiers/outbox", "/ledger/stops/new", "/ledger/schedules/new", "/ledger/agreements/new",
    "/ledger/machines/1/correct", f"/ledger/enterprises/{uscc_of(0)}/correct", "/login",
)  # fmt: skip
"""Pages with forms."""
ODD = ("9" * 30, "//evil.example")
_FORM = re.compile(r'<form[^>]*method="post".*?</form>', re.DOTALL)
_FIELD = re.compile(r"<(?:input|textarea|select|button)[^>]*>")
_OPTION = re.compile(r'<select[^>]*name="([^"]*)".*?<option[^>]*value="([^"]+)"', re.DOTALL)


def _said(name: str, element: str) -> str:
    found = re.search(rf'\b{name}="([^"]*)"', element)
    return found[1].replace("&amp;", "&") if found else ""


async def _forms(browser: httpx.AsyncClient) -> dict[str, dict[str, str]]:
    """Fields of all forms, each with what a page filled in, by address."""
    found = dict[str, dict[str, str]]()
    for path in SHOWING:
        page = await browser.get(path)
        assert page.status_code == 200, path
        for form in _FORM.findall(page.text):
            elements = _FIELD.findall(form)
            fields = {_said("name", one): _said("value", one) for one in elements}
            fields |= dict(_OPTION.findall(form))
            found.setdefault(_said("action", form) or path, {}).update(fields)
    for fields in found.values():
        fields.pop("", None)
    return found


async def test_no_form_fails_by_what_is_written_into_it(city: City) -> None:
    """The watch-list did, by the number of something that is not there."""
    browser = city.browsers[Role.ADMINISTRATOR]
    forms = await _forms(browser)
    assert len(forms) > 12
    for path, fields in forms.items():
        for name in fields.keys() - {"csrf"}:
            for odd in ODD:
                answer = await browser.post(path, data={**fields, "csrf": "x", name: odd})
                where = answer.headers.get("location", "/")
                assert answer.status_code < 500, (path, name, odd)
                assert re.match(r"/(?![/\\])", where), (path, name, where)


async def test_no_form_is_taken_that_no_page_of_ours_sent(city: City) -> None:
    browser = city.browsers[Role.ADMINISTRATOR]
    for one in _routes(city.app):
        if "POST" in (one.methods or ()):
            files = {"files": ("a.csv", b"x")} if one.path == "/ledger/import" else None
            for data in ({}, {"csrf": "y"}):
                answer = await browser.post(_filled(one.path), data=data, files=files)
                assert answer.status_code == 403, one.path
