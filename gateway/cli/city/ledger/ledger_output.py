"""What ``qulink ledger`` prints."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from gateway.cli.city.ledger.ledger_command import SHOWN_PROBLEMS
from gateway.cli.city.ledger.spoken import Language, problem_lines
from gateway.cli.tables import print_table
from gateway.core.days import SHANGHAI

MOST_MONTHS = 12
"""Frozen months that a line names, each."""

if TYPE_CHECKING:
    from gateway.city.ledger.bitemporal.timeline import Saying
    from gateway.city.ledger.importing.report import ImportReport
    from gateway.city.ledger.importing.write import Changes
    from gateway.city.ledger.sheet.problems import LedgerError
    from gateway.city.rates.frozen.touched import FrozenMonth


def refusal(error: "LedgerError", language: Language = Language.EN) -> str:
    """Every problem, one a line, and that nothing was imported."""
    count, shown = len(error.problems), error.problems[:SHOWN_PROBLEMS]
    lines = problem_lines(shown, language)
    if language is Language.ZH:
        more = [f"……另有 {count - len(shown)} 处"] if count > len(shown) else []
        return "\n".join([*lines, *more, f"共 {count} 处需要修改；没有导入任何内容"])
    if count > len(shown):
        lines.append(f"… and {count - len(shown)} more")
    what = "1 problem" if count == 1 else f"{count} problems"
    return "\n".join([*lines, f"{what}; nothing was imported"])


def summary(report: "ImportReport", language: Language = Language.EN, *, dry_run: bool) -> str:
    """What an import has changed, or would change."""
    notes = problem_lines(report.notes, language)
    if language is Language.ZH:
        return "\n".join([*(f"提示：{note}" for note in notes), *_chinese(report, dry_run)])
    lines = [
        f"enterprises: {_changes(report.enterprises)}",
        f"equipment:   {_changes(report.equipment)}",
        f"status entries: {report.status_entries}, roster entries: {report.roster_entries}",
        f"identifiers to update: {report.updates_queued}",
    ]
    if not report.changes:
        lines.append("nothing is new: the ledger says all of this already")
    lines = ["dry run, nothing was changed:", *lines] if dry_run else lines
    return "\n".join([*(f"note: {note}" for note in notes), *lines])


def _chinese(report: "ImportReport", dry_run: bool) -> list[str]:
    def told(changes: "Changes") -> str:
        return f"新增 {changes.added}、更新 {changes.updated}、不变 {changes.unchanged}"

    lines = [
        f"企业：{told(report.enterprises)}",
        f"设备：{told(report.equipment)}",
        f"状态记录：{report.status_entries}，名录记录：{report.roster_entries}",
        f"待更新的标识：{report.updates_queued}",
    ]
    if not report.changes:
        lines.append("没有新内容：台账中都已如此")
    return ["试运行，没有改动任何内容：", *lines] if dry_run else lines


def _changes(changes: "Changes") -> str:
    return f"{changes.added} added, {changes.updated} updated, {changes.unchanged} unchanged"


def told_days(
    since: Mapping[date, int],
    today: date,
    frozen: "Sequence[FrozenMonth]",
    before: "Sequence[FrozenMonth]",
    language: Language = Language.EN,
) -> Iterator[str]:
    """From which day holds what an import changes, and what that does to frozen months.

    Args:
        since: rows by the first day of which the ledger says another thing.
        today: day of the import.
        frozen: the months from the first of these days on.
        before: all frozen months.
        language: in which it is told.
    """
    if language is Language.ZH:
        yield from _days_in_chinese(since, today, frozen, before)
        return
    if of_today := since.get(today):
        yield (
            f"{of_today} of the rows change what holds from {today} on, the day of the import"
            + (f"; frozen months ({_months(before)}) are not touched" if before else "")
            + ". Is it so for longer? Write 变更生效日期, or --effective DATE."
        )
    if past := {day: count for day, count in since.items() if day < today}:
        first = min(past)
        yield f"{sum(past.values())} of the rows change what held before {today}, from {first} on"
        if frozen:
            yield (
                f"late for frozen months: {_months(frozen)}; they stay as they were published "
                "until `qulink rates correct MONTH --reason ledger` publishes them anew"
            )


def _days_in_chinese(
    since: Mapping[date, int],
    today: date,
    frozen: "Sequence[FrozenMonth]",
    before: "Sequence[FrozenMonth]",
) -> Iterator[str]:
    kinds = ("最终", "初步")
    if of_today := since.get(today):
        untouched = f"；已冻结的月份（{_months(before, kinds)}）不受影响" if before else ""
        yield (
            f"{of_today} 行的改动自导入当日 {today} 起生效{untouched}。"
            "若更早即如此，请填写变更生效日期，或使用 --effective 日期"
        )
    if past := {day: count for day, count in since.items() if day < today}:
        yield f"{sum(past.values())} 行改动了 {today} 以前的内容，最早自 {min(past)} 起"
        if frozen:
            yield (
                f"已冻结的月份有迟到的变更：{_months(frozen, kinds)}；已公布的结果保持不变，"
                "直至用 `qulink rates correct 月份 --reason ledger` 重新公布"
            )


def _months(
    frozen: "Sequence[FrozenMonth]", kinds: tuple[str, str] = ("final", "provisional")
) -> str:
    told = [f"{one.month} {kinds[0] if one.is_final else kinds[1]}" for one in frozen]
    return ", ".join(told if len(told) <= MOST_MONTHS else [told[0], "…", told[-1]])


def moment(at_ms: int) -> str:
    """A time (UTC milliseconds) in Shanghai."""
    return f"{datetime.fromtimestamp(at_ms / 1000, SHANGHAI):%Y-%m-%d %H:%M:%S}"


def print_history(found: "list[Saying]") -> None:
    """What was said, a line each, in the order in which it became known."""
    heads = ("有效自 valid from", "内容 what", "知悉 known since", "经办 by", "来源 source")
    table = Table(*heads)
    for one in found:
        told = [f"{key}={value}" for key, value in one.values.items() if value is not None]
        table.add_row(
            str(one.valid_from),
            ", ".join(told) or "—",
            moment(one.known_ms),
            one.made_by,
            f"{one.kind} {one.source}".strip(),
        )
    print_table(Console(soft_wrap=True), table)


def print_enterprises(enterprises: list[dict[str, Any]]) -> None:
    """The enterprises of the ledger, a line each."""
    heads = ("代码 USCC", "企业 enterprise", "县（市、区） county", "行业 industry", "功能区 area")
    table = Table(*heads, "规上 above scale", "规模 size class")
    for one in enterprises:
        table.add_row(
            *(one[key] for key in ("uscc", "name", "county_zh", "industry", "functional_area_zh")),
            "是 yes" if one["above_scale"] else "否 no",
            one["size_class_zh"] or "未知 unknown",
        )
    console = Console(soft_wrap=True)
    print_table(console, table)
    console.print(f"{len(enterprises)} 家 enterprises")


def print_machines(machines: list[dict[str, Any]]) -> None:
    """The machines of the ledger, a line each."""
    table = Table("企业 enterprise", "厂区 site", "资产编号 asset", "名称 name", "类别 class")
    for head in ("状态 status", "标识 identifier"):
        table.add_column(head)
    for one in machines:
        table.add_row(
            *(one[key] for key in ("enterprise", "site_no", "asset_no", "name")),
            one["equipment_class_zh"],
            _status(one),
            _identifier(one),
        )
    console = Console(soft_wrap=True)
    print_table(console, table)
    console.print(f"{len(machines)} 台 machines")


def _status(machine: dict[str, Any]) -> str:
    reason = machine["withdrawal_reason"]
    return f"{machine['status_zh']}\n{reason}" if reason else str(machine["status_zh"])


_WITHDRAWALS = {"withdrawing": "撤销中 being withdrawn", "withdrawn": "已撤销 withdrawn"}


def _identifier(machine: dict[str, Any]) -> str:
    if mark := _WITHDRAWALS.get(machine["registration"]):
        return f"{machine['handle']}\n{mark}"
    if machine["registration"] != "refused":
        return str(machine["handle"])
    return f"{machine['handle']}\n被拒 refused: {machine['registration_error']}"
