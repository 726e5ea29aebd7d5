"""What each installed driver says of itself is true: it is what tables and pages are made of."""

import re
import subprocess
import sys

import pytest
from pydantic import ValidationError

from edge_config.models.validation import validated
from gateway.core.schema import Kind
from gateway.drivers.kit.conformance import (
    LinkConformance,
    RefusalConformance,
    SubscribingConformance,
)
from gateway.drivers.quality.proofs import unproven
from gateway.drivers.registry import installed
from tests.docs.test_documentation import ROOT

DRIVERS = sorted(installed())


@pytest.mark.parametrize("name", DRIVERS)
def test_examples_are_addresses(name: str) -> None:
    spec = installed()[name]
    for example in spec.examples:
        assert isinstance(spec.kind(validated(spec.address, example.text)), Kind)
        assert example.title_zh != example.title_en


@pytest.mark.parametrize("name", DRIVERS)
def test_an_address_is_no_empty_text(name: str) -> None:
    with pytest.raises(ValidationError):
        validated(installed()[name].address, "")


@pytest.mark.parametrize("name", DRIVERS)
def test_every_claim_of_quality_is_proven(name: str) -> None:
    assert unproven(installed()[name], ROOT) == []


def test_the_page_of_drivers_is_up_to_date() -> None:
    command = [sys.executable, "-m", "gateway", "schema", "drivers"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == (ROOT / "docs/drivers.md").read_text(), (
        "renew it: qulink schema drivers > docs/drivers.md"
    )


def test_every_rule_of_the_contract_is_tested_by_the_kit() -> None:
    page = (ROOT / "docs/driver-contract.md").read_text()
    rules = re.findall(r"^\| (D-\d\d) \|", page, re.MULTILINE)
    kit = (RefusalConformance, SubscribingConformance, LinkConformance)
    names = {name for one in kit for name in dir(one) if name.startswith("test_d")}
    assert len(rules) == len(set(rules))
    assert set(rules) == {f"D-{name[6:8]}" for name in names}
    for name in names:
        tests = (getattr(one, name, None) for one in kit)
        words = next(test.__doc__ for test in tests if test)
        assert words.startswith(f"D-{name[6:8]}: "), f"{name} says which rule it is of"
