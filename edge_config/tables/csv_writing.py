"""CSV files that a spreadsheet opens without changing what stands in them."""

import csv
import io
import re

from edge_config.tables.written import WrittenColumn, WrittenSheet, number_of

_FORMULA = "=+-@＝＋－＠"
"""A spreadsheet takes a text that begins so for a formula, whoever has written it."""
_LONGEST_NUMBER = 11
_NUMBER_LIKE = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)


def csv_of(sheet: WrittenSheet) -> bytes:
    """The file: UTF-8 with a mark, commas, as Excel writes “CSV UTF-8”."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerows(sheet.above)
    writer.writerow([column.title for column in sheet.columns])
    for row in sheet.rows:
        cells = zip(sheet.columns, row, strict=True)
        writer.writerow([_kept(column, cell) for column, cell in cells])
    return text.getvalue().encode("utf-8-sig")


def _kept(column: WrittenColumn, cell: str) -> str:
    """The cell in a form that a spreadsheet takes for a text where it is one."""
    if not cell or (column.is_number and number_of(cell) is not None):
        return cell
    if _NUMBER_LIKE.fullmatch(cell):
        is_safe = len(cell) <= _LONGEST_NUMBER and cell == cell.lstrip("0") and "." not in cell
        return cell if is_safe or cell == "0" else f'="{cell}"'
    return f"'{cell}" if cell[0] in _FORMULA else cell
