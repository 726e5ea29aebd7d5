"""Who approved a definition record, and a city's own file with every mistake at once."""

from datetime import date
from pathlib import Path

import pytest
import yaml

from gateway.city.rates.definitions import (
    DefinitionError,
    builtin_definitions,
    earlier_definitions,
    load_definitions,
    record_of,
)
from gateway.city.rates.model import Approval, Definition
from gateway.city.rates.reports.export import approval_words

ENR_A = builtin_definitions()["ENR-A"]
GIVEN = {
    "id": "ENR-A",
    "version": ENR_A.version,
    "approved_by": "市经信局",
    "approved_on": "2026-09-01",
    "document": "衢经信〔2026〕12号",
    "valid_from": "2026-09-01",
    "valid_to": "2026-12-31",
}


def loaded(folder: Path, **parts: object) -> Definition:
    file = folder / "own.yaml"
    file.write_text(yaml.safe_dump(parts, allow_unicode=True), encoding="utf-8")
    return load_definitions(file, None)["ENR-A"]


def test_a_record_is_approved_for_its_days_and_counts_as_before(tmp_path: Path) -> None:
    one = loaded(tmp_path, approvals=[GIVEN])
    assert one.hash == ENR_A.hash
    approval = one.approval_on(date(2026, 10, 31))
    assert approval is not None
    assert approval_words(approval).endswith("2026-09-01 市经信局 衢经信〔2026〕12号")
    for day in (date(2026, 8, 31), date(2027, 1, 1)):
        assert one.approval_on(day) is None
    assert "待批准" in approval_words(ENR_A.approval_on(date(2026, 10, 31)))


def test_one_approval_follows_another(tmp_path: Path) -> None:
    later = GIVEN | {"valid_from": "2027-01-01", "valid_to": None, "document": "衢经信〔2027〕1号"}
    one = loaded(tmp_path, approvals=[later, GIVEN])
    assert [given.document for given in one.approvals] == [GIVEN["document"], later["document"]]
    assert one.approval_on(date(2031, 1, 1)) == Approval.model_validate(later)


def test_an_earlier_version_keeps_its_approval(tmp_path: Path) -> None:
    """Else a city could not start after an upgrade, and months of before would read 待批准."""
    (second,) = (one for one in earlier_definitions() if one.id == "ENR-A")
    now = loaded(tmp_path, approvals=[GIVEN | {"version": second.version}])
    assert now.approvals == ()
    then = record_of(now, second.hash)
    assert then is not None and then.approval_on(date(2026, 10, 31)) is not None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": "ENR_A"}, "there is no definition 'ENR_A'; did you mean 'ENR-A'?"),
        ({"version": 9}, "approvals.0.version: ENR-A has no version 9; there is 2, 3"),
        ({"hash": "0" * 12}, f"another text was approved: ENR-A version 3 is {ENR_A.hash[:16]}"),
        ({"valid_to": "2026-08-01"}, "valid_to 2026-08-01 is before valid_from 2026-09-01"),
        ({"approved_by": ""}, "approvals.0.approved_by: "),
        ({"aproved_by": "x"}, "unknown key; did you mean 'approved_by'?"),
    ],
)
def test_an_approval_of_nothing_is_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(DefinitionError) as caught:
        loaded(tmp_path, approvals=[GIVEN | changes])
    assert message in str(caught.value)


def test_every_mistake_of_a_file_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(
        """definition: []
definitions:
  - id: ENR-A
    version: 2
    name_zh: 甲
    name_en: A
    formula_zh: 甲
    formula_en: A
    measure: networkd
    scope: {kind: all}
    aggregate: pooled
  - id: ENR-A
    version: 2
    name_zh: 乙
    name_en: B
    formula_zh: 乙
    formula_en: B
    measure: networked
    scope: {kind: al}
    aggregate: pooled
    levell: 2
  - {id: COV, version: 1, name_zh: 丙, name_en: C, formula_zh: 丙, formula_en: C,
     measure: ledger, scope: {kind: all}, aggregate: pooled}
approvals:
  - {id: COV, version: 1, approved_by: 甲, approved_on: 2026-09-31, document: x,
     valid_from: 2026-09-01}
  - {id: SENS, version: 1, approved_by: 甲, approved_on: 2026-09-01, document: x,
     valid_from: 2026-09-01}
  - {id: SENS, version: 1, approved_by: 甲, approved_on: 2026-09-01, document: y,
     valid_from: 2026-10-01}
""",
        encoding="utf-8",
    )
    with pytest.raises(DefinitionError) as caught:
        load_definitions(own, None)
    found = str(caught.value).splitlines()
    expected = {
        1: "did you mean 'definitions'?",
        9: "did you mean 'networked'?",
        19: "did you mean 'all'?",
        21: "did you mean 'level'?",
        22: "COV differs from version 1 of the product; give it version 2",
        25: "approved_on",
        30: "the approval in line 27 is, too",
    }
    assert len(found) == len(expected)
    for line, (number, words) in zip(found, expected.items(), strict=True):
        assert line.startswith(f"{own}:{number}:")
        assert words in line
