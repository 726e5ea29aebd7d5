"""``docs/drivers.md``: written from what drivers say of themselves, and so always true."""

from collections.abc import Iterable, Iterator, Mapping

from edge_config.files.yaml_file import read_document
from edge_config.loading.library import BUILT_IN, built_in_names
from gateway.drivers.quality.claims import Claim, Tier, TierRule, claim_of, tier_rules
from gateway.drivers.spec import DriverSpec

_INTRODUCTION = """\
# Drivers

<!-- Written by `qulink schema drivers > docs/drivers.md`; do not edit by hand. -->

What can be connected, and how much each driver has proven. The tiers are at the end; what a
driver does is [the driver contract](driver-contract.md), every key is in
[Configuration](configuration.md).

| driver | 名称 | title | reached by | modes | functions | tier | profiles |
|---|---|---|---|---|---|---|---|
"""

_TIERS = """\
## Tiers

A driver claims a tier in the `quality.yaml` beside it and names what proves each rule, or why it
is exempt; a test looks every claim up. A tier holds the rules of those before it.

| tier | rule | 内容 | what is proven |
|---|---|---|---|
"""


def markdown(specs: Mapping[str, DriverSpec]) -> str:
    """The whole page.

    Args:
        specs: drivers by name.
    """
    drivers = [specs[name] for name in sorted(specs)]
    profiles = _profiles()
    rows = "".join(_row(spec, profiles.count(spec.name)) for spec in drivers)
    rules = "".join(map(_rule, tier_rules()))
    return "\n".join([_INTRODUCTION + rows, *map(_section, drivers), _TIERS + rules])


def tier_of(spec: DriverSpec) -> str:
    """The tier that a driver claims, for people; a dash if none."""
    claim = claim_of(spec)
    return claim.tier if claim else "–"


def _profiles() -> list[str]:
    """The driver of every profile that comes with the product."""
    return [read_document(BUILT_IN / f"{name}.yaml").data["driver"] for name in built_in_names()]


def _row(spec: DriverSpec, profiles: int) -> str:
    claim = claim_of(spec)
    reached = ", ".join(claim.transports) if claim else "–"
    functions = "; ".join(claim.functions) if claim else "–"
    name = f"[`{spec.name}`](#{spec.name})"
    modes = ", ".join(spec.modes)
    return _cells(
        name, spec.title_zh, spec.title_en, reached, modes, functions, tier_of(spec), profiles
    )


def _section(spec: DriverSpec) -> str:
    parts = [f"## {spec.name}\n\n{_mapped(spec)}"]
    parts += ["| address | 中文 | English |\n|---|---|---|\n", *map(_example, spec.examples)]
    claim = claim_of(spec)
    if claim:
        parts += ["\n", *_proofs(claim)]
    return "".join(parts)


def _mapped(spec: DriverSpec) -> str:
    return f"{spec.title_zh} – {spec.title_en}. Addresses, for example:\n\n"


def _example(example: Iterable[str]) -> str:
    text, *titles = example
    return _cells(f"`{text}`", *titles)


def _proofs(claim: Claim) -> Iterator[str]:
    """What is proven where, and what the driver is exempt from."""
    for rule in tier_rules():
        if places := claim.places(rule.id):
            yield f"* {rule.id}: {', '.join(f'`{place}`' for place in places)}\n"
    for word, why in claim.exempt.items():
        yield f"* exempt from {word}: {why}\n"
    if missing := [rule.id for rule in _beyond(claim)]:
        yield f"* not claimed yet: {', '.join(missing)}\n"


def _beyond(claim: Claim) -> Iterator[TierRule]:
    """Rules that a higher tier would ask for."""
    for rule in tier_rules():
        is_kept = claim.places(rule.id) or rule.id in claim.exempt or not rule.needs_evidence
        if not is_kept and Tier.GOLD.holds(rule.tier):
            yield rule


def _rule(rule: TierRule) -> str:
    return _cells(rule.tier, f"`{rule.id}`", rule.title_zh, rule.title_en)


def _cells(*cells: object) -> str:
    texts = (str(cell).replace("|", r"\|").replace("<", r"\<") for cell in cells)
    return f"| {' | '.join(texts)} |\n"
