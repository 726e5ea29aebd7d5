"""Labels are drawn, rendered by one library, and read back by another."""

import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
import segno
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update
from typer.testing import CliRunner

from gateway.city.db.schema.identifiers import identifier
from gateway.city.identifiers.labelled import label_code
from gateway.cli.main import build
from gateway.identifier.codes.classify import classify
from gateway.identifier.labels.drawing import single
from gateway.identifier.labels.files import files
from gateway.identifier.labels.label import A4, Label, Size, lines_of, width_of
from gateway.identifier.labels.zpl import zpl
from tests.console.town import town

PAGE = "https://city.example.cn/id"


def label(number: int = 1, page_url: str | None = PAGE) -> Label:
    handle = f"88.999.QZ01/451.20261101.{number:06d}"
    code = label_code(handle, page_url)
    return Label(code, handle, f"{number}#注塑机", f"A/{number}-炉", "衢州某某轴承有限公司")


def read(picture: np.ndarray) -> list[str]:  # type: ignore[type-arg]
    return [one.text for one in zxingcpp.read_barcodes(picture)]


@pytest.mark.parametrize("size", ["30x15", "50x30", "80x50"])
@pytest.mark.parametrize("page_url", [None, PAGE])
def test_a_sheet_is_printed_and_read_back(size: str, page_url: str | None) -> None:
    of_each = Size.parse(size)
    count = len(list(of_each.places())) + 1
    made = [label(number, page_url) for number in range(count)]
    ((path, data),) = files(made, of_each, Path("labels.PDF"), 203)
    assert path.name == "labels.PDF"
    document = pypdfium2.PdfDocument(data)
    assert len(document) == 2
    width, height = document[0].get_size()
    assert (width, height) == pytest.approx([side * 72 / 25.4 for side in A4], abs=0.1)
    found = [text for page in document for text in read(page.render(scale=300 / 72).to_numpy())]
    assert sorted(found) == sorted(one.code for one in made)
    assert all(str(classify(text)[0].code) in {one.handle for one in made} for text in found)
    words = document[0].get_textpage().get_text_range()
    assert "1#注塑机" in "".join(words.split())
    document.close()


def test_pictures_are_numbered_sheets() -> None:
    made = [label(number) for number in range(60)]
    found = dict(files(made, Size.parse("50x30"), Path("out/labels.png"), 203))
    assert [path.name for path in found] == ["labels.png", "labels-2.png", "labels-3.png"]
    assert all(data.startswith(b"\x89PNG") for data in found.values())


def test_a_label_printer_is_told_in_its_language() -> None:
    (made,) = [zpl(label(), Size.parse("50x30"))]
    assert made.startswith("^XA^CI28^PW400^LL240")
    assert made.endswith("^XZ\n")
    magnification = int(re.search(r"\^BQN,2,(\d+)", made)[1])  # type: ignore[index]
    modules = segno.make(label().code, error="m", micro=False).symbol_size(border=0)[0]
    assert modules * magnification <= 8 * Size.parse("50x30").qr
    assert f"^FDMA,{label().code}^FS" in made


def test_nothing_in_a_name_is_a_command_of_the_printer() -> None:
    bad = Label("c", "88.1.1/a_b", "^XA~JA\\&\n", "", "")
    made = zpl(bad, Size.parse("50x30"))
    assert made.count("^XA") == 1
    assert "~" not in made
    assert "_5EXA_7EJA_5C&_0A" in made
    assert "88.1.1/a_5Fb" in made


@given(
    st.text("0123456789abcdefABCDEF./-_测", min_size=1, max_size=243),
    st.text(max_size=80),
    st.floats(30, 190),
    st.floats(15, 277),
)
def test_an_identifier_is_never_cut(suffix: str, name: str, width: float, height: float) -> None:
    one = Label("c", f"88.999.QZ01/{suffix}", name, "", "")
    size = Size(width, height)
    lines = lines_of(one, size)
    assert "".join(line.text for line in lines[1:]) == one.handle
    room = size.width - size.qr - 6
    assert all(
        width_of(line.text, line.font) <= room + line.font or len(line.text) == 1 for line in lines
    )
    assert all(0 < line.base <= height for line in lines)  # the next label is below
    assert single(one, size).startswith("<svg")


def test_the_longest_identifier_stays_on_its_label() -> None:
    one = Label("c", "88.999.QZ01/".ljust(255, "A"), "炉", "1#", "某某公司")
    assert max(line.base for line in lines_of(one, Size.parse("30x15"))) <= 15


@pytest.mark.parametrize("name", ["a\x0bb", "\ufffe", "\ud800", ""])
def test_a_name_that_cannot_be_printed_keeps_no_sheet(name: str) -> None:
    ((_, data),) = files([replace(label(), name=name)], Size.parse("50x30"), Path("a.pdf"), 203)
    assert data.startswith(b"%PDF")


def test_wide_spaces_are_no_such_characters() -> None:
    spaced = replace(label(), name="数控\u3000车床")
    assert "\ufffd" not in single(spaced, Size.parse("50x30"))


@pytest.mark.parametrize("text", ["", "50", "50x", "5x5", "50x300", "1e3x4", "五十x30"])
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="mm"):
        Size.parse(text)


async def test_machines_of_a_city_are_labelled(tmp_path: Path) -> None:
    async with town(tmp_path) as city:
        gone = update(identifier).where(identifier.c.equipment_id == 1).values(registered_ms=None)
        city.database.run_now(lambda connection: connection.execute(gone))
        total = city.database.run_now(
            lambda connection: connection.execute(identifier.select()).all()
        )
        config = tmp_path / "city.yaml"
        config.write_text(
            "city: {region: '330800', name_zh: 衢州, name_en: Quzhou}\n"
            f"data_dir: {tmp_path}\nbroker: {{url: 'mqtt://127.0.0.1:1'}}\n"
            f"identifier: {{prefix: '88.999', page_url: '{PAGE}'}}\n",
            "utf-8",
        )
        target = tmp_path / "labels.pdf"
        arguments = ["id", "labels", str(target), "-c", str(config)]
        done = CliRunner().invoke(build(["id"]), arguments)
        wrong = CliRunner().invoke(build(["id"]), ["id", "labels", "labels.doc"])
    assert done.exit_code == 0, done.output
    assert f"{len(total) - 1} labels of 50x30 mm" in done.stdout
    pages = pypdfium2.PdfDocument(io.BytesIO(target.read_bytes()))
    found = [text for page in pages for text in read(page.render(scale=300 / 72).to_numpy())]
    pages.close()
    assert len(found) == len(total) - 1
    assert all(text.startswith(f"{PAGE}/88.999.") for text in found)
    assert (wrong.exit_code, ".pdf, .png, .zpl" in wrong.stderr) == (1, True)
