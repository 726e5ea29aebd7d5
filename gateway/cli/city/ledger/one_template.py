"""An empty table to fill, as a workbook or as CSV."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.city.opening import fail

if TYPE_CHECKING:
    from gateway.city.ledger.codes import Name
    from gateway.city.ledger.sheet.columns.column import Column


def write_one_template(out: Path, name: "Name", columns: "Sequence[Column]") -> None:
    """Write it, with drop-downs and explanations where the file can hold them; or end.

    Args:
        out: ``.xlsx`` or ``.csv``.
        name: of the table.
        columns: of it.
    """
    from gateway.city.ledger.sheet.template import one_table

    try:
        if out.suffix.lower() == ".xlsx":
            out.write_bytes(one_table(name, columns, "zh"))
        elif out.suffix.lower() == ".csv":
            heads = ",".join(column.header.zh for column in columns)
            out.write_text(heads + "\n", encoding="utf-8-sig")
        else:
            fail(f"{out}: give the table a name that ends in .xlsx or .csv")
    except OSError as error:
        fail(f"cannot write {out}: {error.strerror}")
