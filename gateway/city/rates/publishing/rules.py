"""The rules of disclosure control, as a record. Pure.

Primary suppression by minimum frequency and (n, k) dominance, then secondary suppression: Hundepool
et al., Statistical Disclosure Control (2012), chapter 4; thresholds: docs/adr/0066.
"""

from pydantic import Field

from gateway.city.rates.model import StrictModel


class Rules(StrictModel):
    """When a cell is withheld, and how well it is protected; see ``rules.yaml``.

    ``stable``, ``secondary`` and ``joint`` are part of the record so that it can be shown what
    each of them is for: without any of them, values are found.
    """

    version: int = Field(ge=1, description="counts up with every change")
    fewest: int = Field(3, ge=1, description="enterprises of a published cell, at least")
    largest_percent: int = Field(70, ge=1, le=100, description="of N, by one enterprise, at most")
    two_largest_percent: int = Field(85, ge=1, le=100, description="of N, by two, at most")
    uniform_below: int = Field(5, ge=1, description="fewer with 0 or 100 % are withheld")
    interval_percent: int = Field(10, ge=0, le=100, description="doubt that is left, each way")
    stable: bool = Field(True, description="what was withheld stays withheld")
    secondary: bool = Field(True, description="withhold what gives away others")
    joint: bool = Field(True, description="protect K and N−K as N")
