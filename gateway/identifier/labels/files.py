"""Labels as files: PDF and PNG sheets, or the language of label printers."""

from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path

from gateway.identifier.labels.drawing import pages
from gateway.identifier.labels.label import Label, Size
from gateway.identifier.labels.zpl import zpl

_PDF_DPI = 72
KINDS = (".pdf", ".png", ".zpl")
"""Endings of files that can be made."""


def files(
    labels: Sequence[Label], size: Size, target: Path, dpi: int
) -> Iterator[tuple[Path, bytes]]:
    """Files and what is in them; PNG sheets beyond the first are numbered.

    Args:
        labels: at least one.
        size: of each.
        target: file; its ending says which kind, one of KINDS in either case.
        dpi: dots an inch, of pictures and of a label printer.
    """
    kind = target.suffix.lower()
    if kind == ".zpl":
        dots_per_mm = round(dpi / 25.4)
        yield target, "".join(zpl(one, size, dots_per_mm) for one in labels).encode()
    elif kind == ".pdf":
        yield target, _pdf(labels, size)
    else:
        for number, sheet in enumerate(_pictures(labels, size, dpi), start=1):
            name = target if number == 1 else target.with_stem(f"{target.stem}-{number}")
            yield name, sheet


def _pdf(labels: Sequence[Label], size: Size) -> bytes:
    from pypdf import PdfWriter  # noqa: PLC0415 - only where labels are printed
    from vl_convert import svg_to_pdf  # noqa: PLC0415 - large

    book, out = PdfWriter(), BytesIO()
    for sheet in pages(labels, size):
        book.append(BytesIO(svg_to_pdf(sheet)))
    book.write(out)
    return out.getvalue()


def _pictures(labels: Sequence[Label], size: Size, dpi: int) -> Iterator[bytes]:
    from vl_convert import svg_to_png  # noqa: PLC0415 - large

    for sheet in pages(labels, size):
        yield svg_to_png(sheet, scale=dpi / _PDF_DPI)
