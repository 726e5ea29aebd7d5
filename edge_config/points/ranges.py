"""What values a machine of a profile can give: the ranges that come with the product."""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import yaml

from edge_config.loading.library import BUILT_IN, built_in_names


class Range(NamedTuple):
    """What a scaled value can be; None: there is no limit on that side."""

    minimum: float | None
    maximum: float | None


@cache
def built_in_ranges(profile: str) -> Mapping[str, Range]:
    """Ranges by tag of a profile that comes with the product.

    Tags without a range are left out, and so are the elements of arrays, which are named anew.

    Args:
        profile: name of it; of one that a plant has written itself nothing is known.
    """
    if profile not in built_in_names():
        return {}
    document = yaml.safe_load((BUILT_IN / f"{profile}.yaml").read_text("utf-8"))
    tags = [tag for group in document["groups"] for tag in group.get("tags") or ()]
    found = {str(tag["name"]): _range(tag) for tag in tags}
    return {name: one for name, one in found.items() if one != Range(None, None)}


def _range(tag: Mapping[str, Any]) -> Range:
    low, high = tag.get("minimum"), tag.get("maximum")
    return Range(None if low is None else float(low), None if high is None else float(high))
