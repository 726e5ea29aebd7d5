"""The table of shift schedules: its columns, and what one of them says. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from gateway.city.ledger.codes import Name
from gateway.city.ledger.schedules.week import is_worked, weeks
from gateway.city.ledger.sheet.columns.column import USCC, Column
from gateway.city.ledger.sheet.values import choice, day, ledger_number, prose

_SATURDAY = 5
SHEET = Name("排班日历", "Shift schedules")
HOLIDAYS = {"rest": Name("放假", "rest"), "work": Name("照常", "work")}
"""What becomes of official holidays."""

COLUMNS = (
    USCC,
    Column(
        "site_no",
        Name("厂区编号", "Site number"),
        ledger_number(16),
        Name("空：全部厂区", "empty: all"),
    ),
    Column(
        "schedule_from",
        Name("排班起始日期", "Schedule from"),
        day,
        Name("首日", "first day"),
        required=True,
    ),
    Column(
        "schedule_to",
        Name("排班终止日期", "Schedule to"),
        day,
        Name("末日；空：直至下一排班或撤销", "last day; empty: until the next, or withdrawn"),
    ),
    Column(
        "work_days",
        Name("工作日", "Working days"),
        weeks,
        Name(
            "班次开始的星期：一至六、1-6；大小周用 / 隔开：1-5/1-6",
            "on which a shift begins: 1-6; weeks that take turns: 1-5/1-6",
        ),
        required=True,
    ),
    Column(
        "on_holidays",
        Name("法定节假日", "Public holidays"),
        choice(HOLIDAYS, "choice of holidays"),
        Name("放假：按国办安排休息和调休；照常：只看工作日", "rest: as arranged; work: as any day"),
        required=True,
        choices=HOLIDAYS,
    ),
    Column(
        "schedule_reason",
        Name("排班原因", "Reason"),
        prose(100),
        Name("如 做六休一、错峰用电", "as six-day week"),
        required=True,
    ),
    Column(
        "document",
        Name("依据文件", "Document"),
        prose(200),
        Name("文号或制度名称", "its number"),
        required=True,
    ),
    Column("said_by", Name("填报人", "Said by"), prose(100), Name("", ""), required=True),
)


class Official(Protocol):
    """What a schedule asks of the official calendar."""

    def is_rest(self, day: date) -> bool | None:
        """Whether a day is one of rest; None: nobody knows."""

    def is_holiday(self, day: date) -> bool:
        """Whether it is one of a public holiday, and not merely of a weekend."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A shift schedule as it is said.

    Attributes:
        uscc: of the enterprise.
        site_no: of one site; empty: all.
        first_day: Asia/Shanghai day.
        last_day: inclusive; None: until a later schedule, or until it is withdrawn.
        weeks: days of work, as :func:`gateway.city.ledger.schedules.week.weeks` gives them.
        on_holidays: key of :data:`HOLIDAYS`.
        reason: in words.
        document: by which it is so.
        said_by: who says so.
    """

    uscc: str
    site_no: str
    first_day: date
    last_day: date | None
    weeks: str
    on_holidays: str
    reason: str
    document: str
    said_by: str

    def covers(self, day: date) -> bool:
        """Whether it says anything of a day."""
        return self.first_day <= day and (self.last_day is None or day <= self.last_day)

    def rests(self, day: date, official: Official) -> bool:
        """Whether a day that it covers is one of rest.

        Who rests on public holidays works on the Saturdays and Sundays that are worked in
        exchange for them, too.
        """
        if self.on_holidays == "work":
            return not is_worked(self.weeks, self.first_day, day)
        if official.is_holiday(day):
            return True
        in_exchange = day.weekday() >= _SATURDAY and official.is_rest(day) is False
        return not in_exchange and not is_worked(self.weeks, self.first_day, day)


def by_precedence(schedules: Iterable[tuple[int, Schedule]]) -> list[tuple[int, Schedule]]:
    """Schedules with the order in which they were said: which stands before which, last wins.

    One of a site stands before one of the whole enterprise, and a later one before an earlier one.
    """
    return sorted(schedules, key=lambda one: (one[1].site_no != "", one[0]))
