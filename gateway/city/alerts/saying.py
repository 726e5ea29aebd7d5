"""An alert in words, for pages and mails, and where its subject is shown."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any
from urllib.parse import quote

from gateway.city.alerts.model import Kind, Level, Subject
from gateway.city.alerts.standing import Alert
from gateway.city.ledger.codes import Name, area_name, county_name, industry_name
from gateway.city.rates.reports.shown import percent_text, points_text
from gateway.web.formats import moment
from gateway.web.i18n import Language, text


def subject_name(language: Language, one: Alert) -> str:
    """What readers call what an alert is about."""
    key = one.subject.key
    if one.subject.level is Level.MACHINE:
        named = f"{one.machine[0]} {one.machine[2]}" if one.machine else f"#{key}"
        return text(
            language, "alerts.of", what=named, enterprise=one.enterprise or one.subject.uscc
        )
    if one.subject.level is Level.GATEWAY:
        return text(language, "alerts.of", what=key, enterprise=one.enterprise or one.subject.uscc)
    if one.subject.level is Level.ENTERPRISE:
        return one.enterprise or key
    return place_name(language, one.subject)


def place_name(language: Language, subject: Subject) -> str:
    """What readers call a city, county or industry."""
    if subject.level is Level.CITY:
        return text(language, "alerts.city")
    name = _NAMES[subject.level](subject.key)
    return name.zh if language == "zh" else name.en


_NAMES: Mapping[Level, Callable[[str], Name]] = {
    Level.COUNTY: county_name,
    Level.AREA: area_name,
    Level.INDUSTRY: industry_name,
}


def address_of(one: Alert) -> str:
    """The page of what an alert is about."""
    subject = one.subject
    if one.machine is not None:
        return "/".join(
            ("/enterprises", subject.uscc, *(quote(p, safe="") for p in one.machine[1:]))
        )
    if subject.uscc:
        return f"/enterprises/{subject.uscc}"
    return place_address(subject)


def place_address(subject: Subject) -> str:
    """The page of a city, county, functional area or industry."""
    return _PAGES[subject.level] + quote(subject.key) if subject.level in _PAGES else "/"


_PAGES = {
    Level.COUNTY: "/counties/",
    Level.AREA: "/wall/",
    Level.INDUSTRY: "/industries/",
}


def why(language: Language, one: Alert) -> str:
    """What is wrong, in one sentence with its figures."""
    places = _PLACES.get(one.kind, _silence)(one.detail)
    known = {"name": subject_name(language, one), "since": moment(one.since_ms)[:16]}
    is_own = one.kind is Kind.TARGET and one.subject.level is Level.COUNTY
    key = "county-at-risk" if is_own else one.kind
    return text(language, f"alerts.why.{key}", **known, **places)


def _silence(_: Mapping[str, Any]) -> dict[str, object]:
    return {}


def _fall(detail: Mapping[str, Any]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name in ("before", "after", "newest"):
        found[name] = percent_text(_fraction(detail[f"{name}_rate"]))
        found |= {f"{name}_{one}": detail[f"{name}_{one}"] for one in _TOLD}
    before, after = _fraction(detail["before_rate"]), _fraction(detail["after_rate"])
    change = None if before is None or after is None else after - before
    return found | {"points": points_text(change)}


_TOLD = ("month", "networked", "equipment")


def _target(detail: Mapping[str, Any]) -> dict[str, object]:
    expected, target = Fraction(detail["expected"]), Fraction(detail["target"])
    edges = (target,)
    return {
        "month": detail["month"],
        "year": detail["year"],
        "expected": percent_text(expected, edges=edges),
        "target": percent_text(target),
        "gap": points_text(expected - target),
    }


def _ledger(detail: Mapping[str, Any]) -> dict[str, object]:
    return {"day": detail["day"], "limit": detail["limit"]}


def _finding(detail: Mapping[str, Any]) -> dict[str, object]:
    return {"count": detail["count"]}


_PLACES: Mapping[Kind, Callable[[Mapping[str, Any]], dict[str, object]]] = {
    Kind.FALL: _fall,
    Kind.TARGET: _target,
    Kind.LEDGER: _ledger,
    Kind.FINDING: _finding,
}


def _fraction(written: str) -> Fraction | None:
    return None if written == "None" else Fraction(written)
