"""Workbooks to the letter: what spreadsheets write, and what no library would."""

import io
import zipfile
from collections.abc import Mapping

_TYPES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def _relations(targets: Mapping[str, tuple[str, str]]) -> str:
    rows = "".join(
        f'<Relationship Id="{key}" Type="{_TYPES}/{kind}" Target="{part}"/>'
        for key, (kind, part) in targets.items()
    )
    return f'<Relationships xmlns="{_RELATIONSHIPS}">{rows}</Relationships>'


def workbook(
    *sheets: str,
    properties: str = "",
    formats: tuple[str, ...] = (),
    texts: str = "",
    states: tuple[str, ...] = (),
    **parts: str,
) -> bytes:
    """A workbook of raw sheets.

    Args:
        sheets: contents of each ``worksheet`` element.
        properties: elements of the workbook in front of its sheets.
        formats: codes of number formats; style 1 is the first.
        texts: the ``si`` elements of the shared texts.
        states: visibility of each sheet.
        parts: further parts by name, with ``__`` for a slash.
    """
    codes = "".join(
        f'<numFmt numFmtId="{200 + at}" formatCode="{code}"/>' for at, code in enumerate(formats)
    )
    styles = "".join(f'<xf numFmtId="{200 + at}"/>' for at in range(len(formats)))
    listed = "".join(
        f'<sheet name="S{at}" sheetId="{at}" r:id="r{at}" state="{state}"/>'
        for at, state in enumerate([*states, *["visible"] * len(sheets)][: len(sheets)], start=1)
    )
    targets = {f"r{at}": ("worksheet", f"sheets/{at}.xml") for at in range(1, len(sheets) + 1)}
    targets |= {"s": ("styles", "styles.xml"), "t": ("sharedStrings", "/xl/texts.xml")}
    book = (
        f'<workbook xmlns="{MAIN}" xmlns:r="{_TYPES}">{properties}<sheets>{listed}</sheets>'
        "</workbook>"
    )
    files = {
        "_rels/.rels": _relations({"w": ("officeDocument", "xl/workbook.xml")}),
        "xl/workbook.xml": book,
        "xl/_rels/workbook.xml.rels": _relations(targets),
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><numFmts>{codes}</numFmts>'
        f'<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf/>{styles}</cellXfs>'
        "</styleSheet>",
        "xl/texts.xml": f'<sst xmlns="{MAIN}">{texts}</sst>',
    }
    for at, sheet in enumerate(sheets, start=1):
        files[f"xl/sheets/{at}.xml"] = f'<worksheet xmlns="{MAIN}">{sheet}</worksheet>'
    return packed(files | {name.replace("__", "/"): text for name, text in parts.items()})


def packed(files: Mapping[str, str]) -> bytes:
    """An archive of texts."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return body.getvalue()


def rows(*lines: str) -> str:
    """The ``sheetData`` of rows of ``c`` elements."""
    return "<sheetData>" + "".join(f"<row>{line}</row>" for line in lines) + "</sheetData>"
