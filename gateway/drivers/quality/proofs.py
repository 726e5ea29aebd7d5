"""Whether what a driver claims is proven: evidence is looked up, not believed."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from edge_config.files.yaml_file import read_document
from edge_config.loading.load import load_gateway
from edge_config.mistakes.problems import ConfigError
from edge_config.mistakes.shape import declared
from edge_config.models.validation import validated
from gateway.drivers.quality.claims import FILE, Claim, TierRule, claim_of, tier_rules
from gateway.drivers.registry import installed
from gateway.drivers.spec import DriverSpec

Look = Callable[[DriverSpec, TierRule, Path], Iterator[str]]
_RULE_OF_THE_KIT = re.compile(r"D-\d\d")


def unproven(spec: DriverSpec, root: Path) -> list[str]:
    """What is wrong with a driver's claim, in sentences; empty: all of it is proven.

    Args:
        spec: the driver.
        root: the folder that the paths of evidence begin at.
    """
    try:
        claim = claim_of(spec)
    except ValueError as error:
        return [f"{FILE} of {spec.name}: {error}"]
    if claim is None:
        return [f"{spec.name} has no {FILE}: say there which tier it is of, and what proves it"]
    return [f"{FILE} of {spec.name}: {wrong}" for wrong in _wrong(spec, claim, root)]


def _wrong(spec: DriverSpec, claim: Claim, root: Path) -> Iterator[str]:
    known = {rule.id for rule in tier_rules()}
    for word in sorted({*claim.evidence, *claim.exempt} - known):
        if word in claim.evidence or not _RULE_OF_THE_KIT.fullmatch(word):
            yield f"{word!r} is no rule of a tier; there are {', '.join(sorted(known))}"
    yield from (
        f"{word}: exempt, but why?" for word, why in claim.exempt.items() if not why.strip()
    )
    for rule in tier_rules():
        wrong = _missing(rule, claim) or _looked_at(spec, rule, claim, root)
        yield from (f"{rule.id}: {words}" for words in wrong)


def _missing(rule: TierRule, claim: Claim) -> list[str]:
    has_evidence, is_exempt = bool(claim.places(rule.id)), rule.id in claim.exempt
    if has_evidence and (is_exempt or not rule.needs_evidence):
        return ["takes no evidence here; it is exempt, or looked at without"]
    is_due = claim.tier.holds(rule.tier) and rule.needs_evidence
    if is_due and not has_evidence and not is_exempt:
        return [f"{claim.tier} asks for evidence, or to be exempt with a reason"]
    return []


def _looked_at(spec: DriverSpec, rule: TierRule, claim: Claim, root: Path) -> Iterator[str]:
    if rule.id not in claim.exempt:
        for place in claim.places(rule.id) if rule.needs_evidence else ("",):
            yield from _LOOKS[rule.proof](spec, rule, root / place)


def _run(_spec: DriverSpec, _rule: TierRule, _place: Path) -> Iterator[str]:
    """The kit looks at it while it runs."""
    yield from ()


def _described(spec: DriverSpec, _rule: TierRule, _place: Path) -> Iterator[str]:
    """What is wrong with a driver's examples and titles."""
    if not spec.examples:
        yield "SPEC gives no examples of addresses"
    for example in spec.examples:
        try:
            address = validated(spec.address, example.text)
            if validated(spec.address, str(address)) != address:
                yield f"{example.text!r} is written as {str(address)!r}, which is another address"
        except ValueError as error:
            yield f"{example.text!r}: it, or str() of it, is no address: {error}"
    for key, field in declared(spec.address).items():
        for title in ("title_zh", "title_en"):
            if not field.limits.get(title):
                yield f"give {key!r} of the address a {title}"


def _tested(_spec: DriverSpec, rule: TierRule, place: Path) -> Iterator[str]:
    """Whether a file of tests has what is named, and what the rule needs."""
    file, *names = str(place).split("::")
    if not Path(file).is_file():
        yield f"there is no file {file}"
        return
    text = Path(file).read_text(encoding="utf-8")
    node: ast.AST | None = ast.parse(text)
    for name in names:
        node = node and _member(node, name)
    if node is None or not any(map(_is_test, ast.walk(node))):
        yield f"there is no test {'::'.join(names) or 'in it'} in {file}"
    if rule.word not in text:
        yield f"{file} does not use {rule.word}"


def _member(node: ast.AST, name: str) -> ast.AST | None:
    named = (one for one in ast.iter_child_nodes(node) if getattr(one, "name", None) == name)
    return next(named, None)


def _is_test(node: ast.AST) -> bool:
    """A test function, or a class that has its tests from the kit."""
    if isinstance(node, ast.ClassDef):
        return bool(node.bases) and node.name.startswith("Test")
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return node.name.startswith("test_")
    return False


def _kit(spec: DriverSpec, rule: TierRule, place: Path) -> Iterator[str]:
    yield from _tested(spec, rule, place)
    file, _, name = str(place).partition("::")
    if Path(file).is_file():
        found = _member(ast.parse(Path(file).read_text(encoding="utf-8")), name)
        bases = {getattr(base, "id", "") for base in getattr(found, "bases", ())}
        if not bases & set(rule.classes) and (found or not name):
            yield f"{name or file} inherits none of {', '.join(rule.classes)}"


def _page(_spec: DriverSpec, _rule: TierRule, place: Path) -> Iterator[str]:
    if not place.is_file() or not place.read_text(encoding="utf-8").strip():
        yield f"there is no page {place}"


def _profile(spec: DriverSpec, _rule: TierRule, place: Path) -> Iterator[str]:
    if _read(place).get("driver") != spec.name:
        yield f"{place} is no profile for driver {spec.name!r}"


def _hardware(spec: DriverSpec, rule: TierRule, place: Path) -> Iterator[str]:
    yield from _profile(spec, rule, place)
    if _read(place).get("verified_on_hardware") is not True:
        yield f"{place} was not verified on hardware"


def _sample(spec: DriverSpec, _rule: TierRule, place: Path) -> Iterator[str]:
    devices = _read(place).get("devices") or ()
    if spec.name not in [device.get("driver") for device in devices]:
        yield f"{place} has no device of driver {spec.name!r}"
        return
    try:
        load_gateway(place, installed())
    except ConfigError as error:
        yield f"{place} is no valid configuration: {error}"


def _read(place: Path) -> dict[str, Any]:
    data = read_document(place).data if place.is_file() else None
    return data if isinstance(data, dict) else {}


_LOOKS: dict[str, Look] = {
    "kit": _kit,
    "test": _tested,
    "page": _page,
    "profile": _profile,
    "sample": _sample,
    "spec": _described,
    "run": _run,
    "hardware": _hardware,
}
