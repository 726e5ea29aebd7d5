"""What each installed driver says of itself is true: it is what tables and pages are made of."""

import pytest
from pydantic import ValidationError

from edge_config.mistakes.shape import declared
from edge_config.models.validation import validated
from gateway.core.schema import Kind
from gateway.drivers.registry import installed

DRIVERS = sorted(installed())


@pytest.mark.parametrize("name", DRIVERS)
def test_examples_are_addresses_and_have_titles(name: str) -> None:
    spec = installed()[name]
    assert spec.examples, f"give {name}'s SPEC examples of addresses"
    for example in spec.examples:
        address = validated(spec.address, example.text)
        assert isinstance(spec.kind(address), Kind)
        assert example.title_zh != example.title_en
        assert validated(spec.address, str(address)) == address


@pytest.mark.parametrize("name", DRIVERS)
def test_fields_of_an_address_have_titles_in_both_languages(name: str) -> None:
    for key, field in declared(installed()[name].address).items():
        for title in ("title_zh", "title_en"):
            assert field.limits.get(title), f"{key} of {name}: give its Field a {title}"


@pytest.mark.parametrize("name", DRIVERS)
def test_an_address_is_no_empty_text(name: str) -> None:
    with pytest.raises(ValidationError):
        validated(installed()[name].address, "")
