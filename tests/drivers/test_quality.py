"""A claim of quality without its proof fails, whatever the proof is to be."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from edge_config.models.settings import Field, Settings
from gateway.drivers.kit.bench import needs
from gateway.drivers.modbus import SPEC
from gateway.drivers.quality import claims, proofs
from gateway.drivers.quality.claims import Tier, claim_of, tier_rules
from gateway.drivers.quality.proofs import unproven
from tests.docs.test_documentation import ROOT

CLAIM = yaml.safe_load((claims.folder_of(SPEC) / claims.FILE).read_text())
TESTS = "tests/drivers/test_conformance_modbus.py"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Modbus claims what stands in this folder."""
    monkeypatch.setattr(claims, "folder_of", lambda _: tmp_path)
    yield tmp_path
    claims._claim.cache_clear()


def claimed(folder: Path, **changes: Any) -> list[str]:
    """What is wrong with the claim of Modbus after changes; dots in keys are of its parts."""
    claim = {**CLAIM, **changes}
    claim["evidence"] = {k: v for k, v in claim["evidence"].items() if v is not None}
    (folder / claims.FILE).write_text(yaml.safe_dump(claim))
    claims._claim.cache_clear()
    return unproven(SPEC, ROOT)


def evidence(**changes: Any) -> dict[str, Any]:
    return {**CLAIM["evidence"], **{key.replace("_", "-"): v for key, v in changes.items()}}


def test_the_claim_as_it_is_holds(folder: Path) -> None:
    assert claimed(folder) == []


@pytest.mark.parametrize(
    ("rule", "place", "wrong"),
    [
        ("kit", "tests/drivers/nowhere.py::TestModbus", "there is no file"),
        ("kit", f"{TESTS}::TestGone", "there is no test TestGone"),
        ("kit", "tests/drivers/test_quality.py", "inherits none of DriverConformance"),
        ("shared-line", "tests/drivers/opcua/test_conformance.py::TestAsyncua", "inherits none"),
        ("foreign-peer", None, "silver asks for evidence"),
        ("foreign-peer", "tests/drivers/modbus/test_foreign.py::test_gone", "no test test_gone"),
        ("foreign-peer", "tests/drivers/modbus/support.py", "no test in it"),
        ("properties", TESTS, "does not use hypothesis"),
        ("page", "docs/drivers/none.md", "there is no page"),
        ("profile", "edge_config/profiles/cnc_lathe.yaml", "is no profile for driver 'modbus'"),
        ("profile", "edge_config/profiles/none.yaml", "is no profile for driver 'modbus'"),
        ("sample", "edge_config/samples/city.yaml", "has no device of driver 'modbus'"),
        ("hardware", "edge_config/profiles/meter_sdm630.yaml", "not verified on hardware"),
        ("whole-kit", TESTS, "takes no evidence here"),
        ("strange", TESTS, "'strange' is no rule of a tier; there are described,"),
    ],
)
def test_a_claim_without_its_proof_fails(
    folder: Path, rule: str, place: str | None, wrong: str
) -> None:
    found = claimed(folder, evidence={**CLAIM["evidence"], rule: place})
    assert len(found) == 1
    assert wrong in found[0]
    assert found[0].startswith("quality.yaml of modbus: ")


def test_a_sample_must_be_valid(folder: Path, tmp_path: Path) -> None:
    text = (ROOT / CLAIM["evidence"]["sample"]).read_text()
    (tmp_path / "sample.yaml").write_text(
        text.replace("driver: modbus", "driver: modbus\n    x: 1")
    )
    (found, *_) = claimed(folder, evidence=evidence(sample=str(tmp_path / "sample.yaml")))
    assert "is no valid configuration" in found


def test_what_is_exempt_needs_a_reason_and_no_proof(folder: Path) -> None:
    without = evidence(shared_line=None)
    assert claimed(folder, evidence=without, exempt={"shared-line": "one device each"}) == []
    assert len(claimed(folder, evidence=without, exempt={"shared-line": " "})) == 1
    assert len(claimed(folder, exempt={"shared-line": "one device each"})) == 1
    assert claimed(folder, exempt={"D-16": "it only reads"}) == []
    assert len(claimed(folder, exempt={"D-7": "no such number"})) == 1


def test_a_higher_tier_asks_for_more(folder: Path) -> None:
    asked = {wrong.split(": ")[1] for wrong in claimed(folder, tier="gold")}
    gold = {rule.id for rule in tier_rules() if rule.tier is Tier.GOLD}
    assert asked == gold - CLAIM["evidence"].keys() != set()
    kept = {rule: CLAIM["evidence"][rule] for rule in ("kit", "page")}
    assert claimed(folder, tier="bronze", evidence=kept) == []


@pytest.mark.parametrize("text", ["tier: platinum", "tier: silver\ntier: gold", "{", "- 1"])
def test_a_claim_that_cannot_be_read_is_said_so(folder: Path, text: str) -> None:
    (folder / claims.FILE).write_text(text)
    (found,) = unproven(SPEC, ROOT)
    assert found.startswith("quality.yaml of modbus: ")


def test_no_claim_is_a_sentence(folder: Path) -> None:
    assert claim_of(SPEC) is None
    assert "say there which tier" in unproven(SPEC, ROOT)[0]


def test_the_spec_describes_its_addresses() -> None:
    class Bare(Settings):
        node: int = Field(description="a node", title_zh="节点")

        @classmethod
        def from_written(cls, written: Any) -> Any:
            return {"node": int(written)} if isinstance(written, str) else written

    (rule,) = (one for one in tier_rules() if one.id == "described")
    bare = replace(SPEC, address=Bare, examples=(SPEC.examples[0]._replace(text="7"),))
    assert "'7': it, or str() of it, is no address" in next(proofs._described(bare, rule, ROOT))
    none = replace(bare, examples=())
    assert list(proofs._described(none, rule, ROOT)) == [
        "SPEC gives no examples of addresses",
        "give 'node' of the address a title_en",
    ]


def test_silver_leaves_out_no_rule_of_the_kit(folder: Path) -> None:
    claimed(folder)
    with pytest.raises(pytest.fail.Exception, match="D-16: modbus claims silver; give the bench"):
        needs(SPEC, "D-16", None, "a writable address")
    claimed(folder, exempt={"D-16": "it only reads"})
    with pytest.raises(pytest.skip.Exception, match="D-16: the bench has not given"):
        needs(SPEC, "D-16", None, "a writable address")
    claimed(folder, tier="bronze")
    with pytest.raises(pytest.skip.Exception):
        needs(SPEC, "D-16", None, "a writable address")
    assert needs(SPEC, "D-16", 7, "a writable address") == 7
