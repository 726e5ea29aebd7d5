"""Two records of one definition side by side. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import yaml

from gateway.city.rates.model import Definition


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that two records of a definition have otherwise.

    Attributes:
        field: as in the record.
        before: its value in the earlier one, as YAML.
        now: in the later one.
    """

    field: str
    before: str
    now: str


@dataclass(frozen=True, slots=True)
class Step:
    """From one version of a record to the next."""

    before: int
    now: int
    is_own: bool
    fields: list[Difference]


def steps(versions: Sequence[Definition], product: Definition | None) -> list[Step]:
    """How each version differs from the one before.

    Args:
        versions: records of one definition, the earliest first.
        product: the record that comes with the product; any newer one is the city's own.
    """
    return [
        Step(
            before.version,
            now.version,
            product is not None and now.hash != product.hash and now is versions[-1],
            differences(before, now),
        )
        for before, now in pairwise(versions)
    ]


def chain(
    now: Definition, product: Definition | None, earlier: Iterable[Definition]
) -> list[Definition]:
    """The known versions of a record, each once, the earliest first.

    Args:
        now: by which the city counts.
        product: of the same id; None: the city has made up its own.
        earlier: of the product, of any id.
    """
    known = [one for one in earlier if one.id == now.id]
    known.sort(key=lambda one: one.version)
    last = [now] if product is None or product.hash == now.hash else [product, now]
    return [*known, *last]


def differences(before: Definition, now: Definition) -> list[Difference]:
    """Every field that differs, in the order of the record."""
    old, new = before.model_dump(mode="json"), now.model_dump(mode="json")
    return [
        Difference(name, _written(old[name]), _written(new[name]))
        for name in type(now).model_fields
        if old[name] != new[name]
    ]


def _written(value: object) -> str:
    text = yaml.safe_dump(value, allow_unicode=True, default_flow_style=True, width=10_000)
    return text.removesuffix("\n...\n").strip()
