"""Which files an import writes: point tables, and the place that names them. Pure but for reading.

The tags of a group stand in its ``tags_file`` afterwards. A table that holds all of them is
written anew, and the YAML file is not touched. Otherwise – tags in the YAML file, or both – a new
table is made beside the file, and ``tags:`` there becomes ``tags_file:``. A profile that comes
with the product is not written.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from edge_config.files.point_table import PointTable
from edge_config.files.yaml_edit import YamlEdit
from edge_config.files.yaml_file import MAX_BYTES, read_bytes
from edge_config.loading.resolved import ResolvedDevice, ResolvedTag
from edge_config.loading.specs import DriverModels
from edge_config.mistakes.problems import ConfigError, Problem
from edge_config.models.gateway import Notation
from edge_config.points.incoming import Groups
from edge_config.points.kept import kept_of
from edge_config.points.outgoing import (
    NO_OPENPYXL,
    WORKBOOK,
    renewed,
    sheets_of,
    table_bytes,
)
from edge_config.points.place import Home
from edge_config.points.texts import Style, usual_form
from edge_config.tables.written import WrittenSheet

Files = dict[Path, bytes]
"""What is to be written, whole files."""


def files_for(groups: Groups, home: Home, device: ResolvedDevice, driver: DriverModels) -> Files:
    """What makes these the tags of the groups.

    Args:
        groups: all tags of the groups that change.
        home: where the profile stands.
        device: one that has the profile.
        driver: its driver.

    Raises:
        ConfigError: a table or the YAML file cannot be changed by a program; it says why.
    """
    files: Files = {}
    text = read_bytes(home.path, home.shown, MAX_BYTES).decode("utf-8-sig")
    edit, notation = YamlEdit(text, home.shown), device.profile.notation
    for name, tags in groups.items():
        loc, data = home.group(name)
        if data.get("tags_file") and not data.get("tags"):
            files |= _renewed(name, tags, _table(data, home), driver, notation)
            continue
        file = home.path.with_name(f"{device.config.profile}-{name}.csv")
        if file.exists():
            said = "is there already, and would hold the tags of the group; move it away"
            raise ConfigError([Problem(str(file), said)])
        files[file] = _new(name, tags, Style(driver, usual_form(tags), "en", notation), file)
        if "tags_file" in data:
            edit.replace((*loc, "tags_file"), file.name)
            edit.clear((*loc, "tags"))
        else:
            edit.rename((*loc, "tags"), "tags_file", file.name)
    changed = edit.result()
    return files if changed == text else files | {home.path: changed.encode()}


def _table(data: Mapping[str, object], home: Home) -> PointTable:
    path, shown = home.folder.find(str(data["tags_file"]))
    sheet, row = data.get("tags_sheet"), data.get("tags_header_row")
    return PointTable(
        path,
        shown,
        sheet if isinstance(sheet, str) else None,
        row if isinstance(row, int) else None,
    )


def _new(name: str, tags: Sequence[ResolvedTag], style: Style, file: Path) -> bytes:
    try:
        return table_bytes(sheets_of({name: tags}, style), file)
    except ValueError as error:
        raise ConfigError([Problem(str(file), str(error))]) from error


def _renewed(
    name: str,
    tags: Sequence[ResolvedTag],
    table: PointTable,
    driver: DriverModels,
    notation: Notation | None,
) -> Files:
    kept = kept_of(table, driver.address)
    try:
        sheet = renewed(tags, kept, driver, name, notation)
    except ValueError as error:
        raise ConfigError([Problem(table.name, str(error))]) from error
    if not kept.sheet:
        return {table.path: table_bytes([sheet], table.path.with_suffix(".csv"))}
    if table.path.suffix.lower() != WORKBOOK:
        raise ConfigError([Problem(table.name, "is a workbook that must be saved as .xlsx first")])
    return {table.path: _book(table, sheet, kept.sheet)}


def _book(table: PointTable, sheet: WrittenSheet, title: str) -> bytes:
    """The workbook with one sheet written anew; the others stay."""
    try:
        from edge_config.tables.workbook_writing import with_sheet  # noqa: PLC0415 - if needed
    except ImportError as error:
        raise ConfigError([Problem(table.name, NO_OPENPYXL)]) from error
    return with_sheet(read_bytes(table.path, table.name, MAX_BYTES), sheet, title)
