"""XLSX workbooks (ECMA-376), read without any library: within bounds, and with what is odd."""

import io
import posixpath
import zlib
from collections.abc import Iterable, Iterator, Mapping
from xml.parsers.expat import ExpatError
from zipfile import BadZipFile, ZipFile

from edge_config.tables.cells import Budget, CellError, CellReader, Surroundings, unescaped
from edge_config.tables.formats import Format, format_of
from edge_config.tables.merges import mark_merged
from edge_config.tables.sheet import Limits, Progress, Sheet, TableError, bare, unheard
from edge_config.tables.xml_part import Attributes, chunks_of, elements, local, parse

_DENSEST = 50
"""What people write shrinks to a thirtieth at most, a bomb to a thousandth."""
_SMALL = 2 * 1024 * 1024
"""What unpacks to no more than this is read whatever it shrank to."""
_MOST_PARTS = 10_000
_OLD = b"\xd0\xcf\x11\xe0"
_FAULTS: Mapping[type[Exception], str] = {
    BadZipFile: "it is no archive, or a damaged one",
    ExpatError: "a part of it is no XML",
    zlib.error: "a part of it is damaged",
    EOFError: "it breaks off",
    OSError: "it is damaged",
    KeyError: "a part of it is missing",
    IndexError: "a part of it is missing",
    NotImplementedError: "it is packed in a way that spreadsheets do not use",
    RuntimeError: "it is protected by a password",
    ValueError: "a number in it is none",
    OverflowError: "a number in it is too large",
}
"""What reading a damaged or encrypted archive may raise, in our words: libraries speak English."""
_SAVE_AGAIN = "open it in Excel or WPS and save it as .xlsx"


def read_workbook(body: bytes, limits: Limits, tell: Progress = unheard) -> list[Sheet]:
    """Every sheet of a workbook, hidden ones included.

    Args:
        body: of the file.
        limits: what it may hold.
        tell: is told how many of the unpacked bytes of all parts are read.

    Raises:
        TableError: no workbook, damaged, protected, or too large.
    """
    if body.startswith(_OLD):
        raise TableError(f"is an old or a protected workbook; {_SAVE_AGAIN} without a password")
    try:
        with ZipFile(io.BytesIO(body)) as archive:
            _refuse_bomb(archive, len(body), limits)
            return _sheets(archive, limits, tell)
    except tuple(_FAULTS) as error:
        raise TableError(f"cannot be read as XLSX ({_why(error)}); {_SAVE_AGAIN}") from error


def _why(error: Exception) -> str:
    if isinstance(error, CellError):
        return str(error)
    return next(said for kind, said in _FAULTS.items() if isinstance(error, kind))


def _refuse_bomb(archive: ZipFile, packed: int, limits: Limits) -> None:
    # By the sizes that the archive claims: no part is unpacked further than it claims.
    parts = archive.infolist()
    unpacked = sum(part.file_size for part in parts)
    if unpacked > limits.unpacked_bytes:
        raise TableError(f"unpacks to more than {limits.unpacked_bytes // 1_048_576} MiB")
    if unpacked > max(_SMALL, _DENSEST * packed) or len(parts) > _MOST_PARTS:
        said = f"unpacks to {unpacked // 1_048_576} MiB, more than {_DENSEST} times its size"
        raise TableError(f"{said}, which no table does; delete its empty rows and save it again")


class _Opened:
    """Opens parts of an archive, and tells how much of all parts was read."""

    def __init__(self, archive: ZipFile, tell: Progress) -> None:
        self._archive, self._tell = archive, tell
        self._total = sum(part.file_size for part in archive.infolist())
        self._done = self._told = 0

    def chunks(self, part: str) -> Iterator[bytes]:
        """The bytes of one part, a piece at a time."""
        for chunk in chunks_of(self._archive.open(part)):
            self._done += len(chunk)
            if self._done >= self._told:
                self._tell(self._done, self._total)
                self._told = self._done + self._total // 100
            yield chunk


def _sheets(archive: ZipFile, limits: Limits, tell: Progress) -> list[Sheet]:
    opened = _Opened(archive, tell)
    main = _main_part(archive)
    parts = elements(archive.open(main))
    targets = _targets(archive, main)
    properties = {name: found for _, name, found in parts if name in ("workbookPr", "calcPr")}
    around = Surroundings(
        _shared_texts(opened, targets, limits),
        _formats(archive, targets),
        _is_true(properties, "workbookPr", "date1904"),
        _is_true(properties, "calcPr", "fullCalcOnLoad"),
    )
    budget = Budget(limits.cells)
    return [
        _sheet(opened.chunks(targets[sheet["id"]][1]), sheet, around, limits, budget)
        for parent, name, sheet in parts
        if (parent, name) == ("sheets", "sheet") and targets[sheet["id"]][0] == "worksheet"
    ]


def sheet_parts(archive: ZipFile) -> list[tuple[str, str]]:
    """Titles of the sheets of a workbook, and the parts that hold them."""
    main = _main_part(archive)
    targets = _targets(archive, main)
    return [
        (sheet.get("name", ""), targets[sheet["id"]][1])
        for parent, name, sheet in elements(archive.open(main))
        if (parent, name) == ("sheets", "sheet") and targets[sheet["id"]][0] == "worksheet"
    ]


def _sheet(
    chunks: Iterable[bytes], found: Attributes, around: Surroundings, limits: Limits, budget: Budget
) -> Sheet:
    reader = CellReader(around, limits, budget)
    reader.read(chunks)
    rows = sorted(reader.rows, key=lambda row: row.number)
    mark_merged(rows, reader.merged, limits.columns)
    hidden = found.get("state", "visible") != "visible"
    return Sheet(
        found.get("name", ""), rows, hidden, around.from_1904, frozenset(reader.hidden_columns)
    )


def _is_true(properties: dict[str, Attributes], name: str, key: str) -> bool:
    return properties.get(name, {}).get(key) in ("1", "true")


def _main_part(archive: ZipFile) -> str:
    roots = elements(archive.open("_rels/.rels"))
    targets = (found for _, name, found in roots if name == "Relationship")
    main = next(
        (found["Target"] for found in targets if found["Type"].endswith("/officeDocument")), ""
    )
    return main.lstrip("/") or "xl/workbook.xml"


def _targets(archive: ZipFile, main: str) -> dict[str, tuple[str, str]]:
    """Kind and part of everything that the workbook refers to, by its id."""
    folder, file = posixpath.split(main)
    found = elements(archive.open(f"{folder}/_rels/{file}.rels"))
    return {
        one["Id"]: (
            one["Type"].rpartition("/")[2],
            posixpath.normpath(posixpath.join(f"/{folder}", one["Target"])).lstrip("/"),
        )
        for _, name, one in found
        if name == "Relationship" and one.get("TargetMode") != "External"
    }


def _part(targets: dict[str, tuple[str, str]], kind: str) -> str | None:
    return next((part for found, part in targets.values() if found == kind), None)


def _formats(archive: ZipFile, targets: dict[str, tuple[str, str]]) -> list[Format]:
    """The number format of each style."""
    part = _part(targets, "styles")
    found = elements(archive.open(part)) if part else []
    codes = {int(own["numFmtId"]): own["formatCode"] for _, name, own in found if name == "numFmt"}
    return [
        format_of(int(own.get("numFmtId", 0)), codes)
        for around, name, own in found
        if (around, name) == ("cellXfs", "xf")
    ]


def _shared_texts(
    opened: _Opened, targets: dict[str, tuple[str, str]], limits: Limits
) -> list[str]:
    part = _part(targets, "sharedStrings")
    if part is None:
        return []
    texts: list[str] = []
    pieces: list[str] = []
    open_elements: list[str] = []

    def start(name: str, _: Attributes) -> None:
        open_elements.append(local(name))

    def end(name: str) -> None:
        open_elements.pop()
        if local(name) == "si":
            texts.append(bare(unescaped("".join(pieces))))
            pieces.clear()
            if len(texts) > limits.cells:
                raise TableError(f"has more than {limits.cells} texts")

    def text(piece: str) -> None:
        # How a text is pronounced stands in `rPh` beside it.
        if open_elements[-1] == "t" and "rPh" not in open_elements:
            pieces.append(piece)

    parse(opened.chunks(part), start, end, text)
    return texts
