"""Point tables that hold the tags of a device, and read back as exactly these."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from edge_config.loading.resolved import ResolvedDevice, ResolvedTag
from edge_config.loading.specs import DriverModels
from edge_config.mistakes.problems import ConfigError, Problem
from edge_config.models.gateway import Notation
from edge_config.points.changes import compare, key_of_tag
from edge_config.points.columns import (
    AddressForm,
    Language,
    columns_for,
    sheet_title,
)
from edge_config.points.incoming import Groups, read_table
from edge_config.points.kept import Kept
from edge_config.points.texts import Style, Texts, texts_of, usual_form
from edge_config.tables.csv_writing import csv_of
from edge_config.tables.written import WrittenColumn, WrittenSheet

WORKBOOK = ".xlsx"
ENDINGS = (".csv", WORKBOOK)


def sheets_of(groups: Groups, style: Style) -> list[WrittenSheet]:
    """One sheet a group, with every column.

    Raises:
        ValueError: an address cannot stand in this form.
    """
    columns = columns_for(style.driver.address, style.form, style.language)
    return [
        WrittenSheet(
            sheet_title(name),
            list(columns.values()),
            [_row(texts_of(tag, style), columns) for tag in tags],
        )
        for name, tags in groups.items()
    ]


def renewed(
    tags: Sequence[ResolvedTag],
    kept: Kept,
    driver: DriverModels,
    group: str,
    notation: Notation | None,
) -> WrittenSheet:
    """A table that is there with other tags; what its people have added stays.

    Raises:
        ValueError: an address cannot stand in the form of the table.
    """
    style = Style(driver, kept.form, kept.language, notation)
    texts = [texts_of(tag, style) for tag in tags]
    usual = columns_for(driver.address, kept.form, kept.language)
    used = {key for row in texts for key in row}
    columns = {key: usual[key]._replace(title=title) for key, title in kept.titles.items()}
    columns |= {key: usual[key] for key in usual if key in used and key not in columns}
    own = [WrittenColumn(title) for title in kept.own]
    nothing = ("",) * len(own)
    rows = [
        [*_row(row, columns), *kept.cells.get(key_of_tag(tag), nothing)]
        for tag, row in zip(tags, texts, strict=True)
    ]
    return WrittenSheet(kept.sheet or group, [*columns.values(), *own], rows, kept.above)


def table_bytes(sheets: Sequence[WrittenSheet], file: Path) -> bytes:
    """The file, by its ending.

    Raises:
        ConfigError: the ending is another one, several groups do not fit into CSV, or there is no
            openpyxl.
    """
    ending = file.suffix.lower()
    if ending not in ENDINGS:
        raise ConfigError([Problem(str(file), "must end in .csv or .xlsx")])
    if ending != WORKBOOK:
        if len(sheets) > 1:
            listed = ", ".join(sheet.title for sheet in sheets)
            said = f"a CSV file holds one group, the device has {listed}; say --group, or .xlsx"
            raise ConfigError([Problem(str(file), said)])
        return csv_of(sheets[0])
    try:
        from edge_config.tables.workbook_writing import workbook_of  # noqa: PLC0415 - if needed
    except ImportError as error:
        raise ConfigError([Problem(str(file), NO_OPENPYXL)]) from error
    return workbook_of(sheets)


NO_OPENPYXL = (
    "workbooks are written with openpyxl, which is not installed: "
    "pip install 'qulink[edge]', or write a .csv"
)


def write_exact(
    file: Path,
    groups: Groups,
    device: ResolvedDevice,
    specs: Mapping[str, DriverModels],
    *,
    form: AddressForm | None,
    language: Language,
) -> None:
    """Write a table that reads back as exactly these tags, or none.

    Args:
        file: the table; replaced if it exists.
        groups: what it is to hold.
        device: whose tags they are.
        specs: installed drivers.
        form: how addresses stand; None: as is usual for these.
        language: of the titles.

    Raises:
        ConfigError: a table cannot hold one of the tags, with its name.
        OSError: the disk does not take it.
    """
    tags = [tag for part in groups.values() for tag in part]
    driver, notation = specs[device.config.driver], device.profile.notation
    style = Style(driver, form or usual_form(tags), language, notation)
    beside = file.with_name(f".{file.stem}.new{file.suffix}")
    try:
        beside.write_bytes(table_bytes(sheets_of(groups, style), file))
        _demand_exact(beside, file, groups, device, specs)
        beside.replace(file)
    except ValueError as error:
        raise ConfigError([Problem(str(file), str(error))]) from error
    finally:
        beside.unlink(missing_ok=True)


def _demand_exact(
    written: Path,
    file: Path,
    groups: Groups,
    device: ResolvedDevice,
    specs: Mapping[str, DriverModels],
) -> None:
    is_one = len(groups) == 1
    sheets = {name: None if is_one else sheet_title(name) for name in groups}
    found, _ = read_table(written, sheets, device.config.driver, specs, device)
    for name, tags in groups.items():
        difference = compare(name, tags, found[name])
        for conflict in difference.conflicts:
            said = f"a table cannot hold this tag as it is: {conflict}"
            raise ConfigError([Problem(str(file), said)])
        if len(found[name]) != len(tags) or difference.missing:
            raise ConfigError([Problem(str(file), "would hold other tags than the device has")])


def _row(texts: Texts, columns: Mapping[str, WrittenColumn]) -> list[str]:
    return [texts.get(key, "") for key in columns]
