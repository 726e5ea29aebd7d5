"""Why a machine is counted as it is, in codes and in words. Pure."""

from enum import StrEnum

from gateway.city.ledger.codes import STATUSES, Name


class Reason(StrEnum):
    """Why a machine is counted as it is; each reason implies whether it counts, and where."""

    NETWORKED = "networked"
    ANSWERING = "answering"
    DIGITAL = "digital"
    OUT_OF_SCOPE = "out_of_scope"
    LEDGER_UNVERIFIED = "ledger_unverified"
    CLASS_EXCLUDED = "class_excluded"
    NOT_DIGITAL = "not_digital"
    DIGITAL_EXCLUDED = "digital_excluded"
    KEY_EXCLUDED = "key_excluded"
    NOT_IN_SERVICE = "not_in_service"
    IN_USE = "status_in_use"
    STANDBY = "status_standby"
    IDLE = "status_idle"
    SEALED = "status_sealed"
    SCRAPPED = "status_scrapped"
    BUILDING = "status_building"
    LEASED_OUT = "status_leased_out"
    WITHDRAWN = "status_withdrawn"
    NEWLY_COMMISSIONED = "newly_commissioned"
    PLANNED_STOP = "planned_stop"
    NO_DAY_COUNTS = "no_day_counts"
    NEVER_CONNECTED = "never_connected"
    NO_EVIDENCE = "no_evidence"
    UNCERTAIN_ONLY = "uncertain_only"
    SENSOR_ONLY = "sensor_only"
    TOO_FEW_DAYS = "too_few_days"
    SILENT_AT_END = "silent_at_end"
    NOT_ANSWERING = "not_answering"
    SAME_UNIT = "same_unit"
    START_UNDATED = "start_undated"
    STATUS_UNDATED = "status_undated"

    @property
    def counted(self) -> bool:
        """The machine is in the denominator."""
        return self not in _EXCLUSIONS

    @property
    def networked(self) -> bool:
        """The machine is in the numerator."""
        return self in _MET


_OF_STATUS = {status: Reason(f"status_{status}") for status in STATUSES}


def out_of_service(status: str | None) -> Reason:
    """Why a machine of a status that a definition does not ask for is not counted.

    Args:
        status: code of the ledger; None: before its first entry.
    """
    return Reason.NOT_IN_SERVICE if status is None else _OF_STATUS[status]


_EXCLUSIONS = frozenset(
    {
        Reason.OUT_OF_SCOPE,
        Reason.LEDGER_UNVERIFIED,
        Reason.CLASS_EXCLUDED,
        Reason.DIGITAL_EXCLUDED,
        Reason.KEY_EXCLUDED,
        Reason.NOT_IN_SERVICE,
        *_OF_STATUS.values(),
        Reason.NEWLY_COMMISSIONED,
        Reason.PLANNED_STOP,
        Reason.NO_DAY_COUNTS,
        Reason.NEVER_CONNECTED,
    }
)
_MET = frozenset({Reason.NETWORKED, Reason.ANSWERING, Reason.DIGITAL})


REASON_NAMES = {
    Reason.NETWORKED: Name("已联网", "networked"),
    Reason.ANSWERING: Name("在线", "answers now"),
    Reason.DIGITAL: Name("数字化设备", "digital equipment"),
    Reason.OUT_OF_SCOPE: Name("企业不在统计范围内", "the enterprise is outside the scope"),
    Reason.LEDGER_UNVERIFIED: Name("企业台账未核实", "the enterprise's ledger is not verified"),
    Reason.CLASS_EXCLUDED: Name("设备类别不计入", "its class of equipment does not count"),
    Reason.NOT_DIGITAL: Name("台账未标为数字化设备", "not marked as digital in the ledger"),
    Reason.DIGITAL_EXCLUDED: Name(
        "非数字化设备，不计入", "only digital equipment counts; the ledger does not mark it so"
    ),
    Reason.KEY_EXCLUDED: Name(
        "非关键设备，不计入", "only key equipment counts; the ledger does not mark it so"
    ),
    Reason.NOT_IN_SERVICE: Name(
        "期末尚无状态记录，不计入", "the ledger has no status of it by the end of the period"
    ),
    **{
        why: Name(
            f"期末状态为{STATUSES[code].zh}，不计入",
            f"not counted: {STATUSES[code].en.lower()} at the end of the period",
        )
        for code, why in _OF_STATUS.items()
    },
    Reason.NEWLY_COMMISSIONED: Name(
        "当月投用，次月起计入", "commissioned this month; counts from the next"
    ),
    Reason.PLANNED_STOP: Name(
        "整个时段计划停机，不计入", "stood still by plan on every day that counts"
    ),
    Reason.NO_DAY_COUNTS: Name(
        "按企业排班尚无应计日，不计入", "by the enterprise's schedule no day counts yet"
    ),
    Reason.NEVER_CONNECTED: Name("从未接入", "never connected"),
    Reason.NO_EVIDENCE: Name("无有效数据", "no valid data"),
    Reason.UNCERTAIN_ONLY: Name(
        "仅有存疑或重复的旧数据", "its values are uncertain or repeated old ones"
    ),
    Reason.SENSOR_ONLY: Name("仅感知接入（N1）", "seen by an added sensor only (N1)"),
    Reason.TOO_FEW_DAYS: Name("有效天数不足", "valid data on too few days"),
    Reason.SILENT_AT_END: Name("期末无数据", "silent at the end of the period"),
    Reason.NOT_ANSWERING: Name("此刻无应答", "does not answer now"),
    Reason.SAME_UNIT: Name(
        "与另一编号为同一单元，只计一次", "same unit as another number; counted once, there"
    ),
    Reason.START_UNDATED: Name(
        "投用日期缺失，当月不计入已联网", "no commissioning date: cannot be networked this month"
    ),
    Reason.STATUS_UNDATED: Name(
        "状态起始日期缺失，期间数据不计",
        "no date of its status: data of undetermined days do not count",
    ),
}
"""By reason; a test holds it complete."""


EXCUSED = frozenset({Reason.PLANNED_STOP, Reason.NO_DAY_COUNTS})
"""Days on neither side keep the machine out: no day is left."""
UNDATED = frozenset({Reason.START_UNDATED, Reason.STATUS_UNDATED})
"""A missing date keeps the machine out of the numerator; nobody knows whether it belongs there."""


def same_unit_as(asset_no: str) -> Name:
    """:attr:`Reason.SAME_UNIT` with the number that counts."""
    return Name(
        f"与 {asset_no} 为同一单元，只计一次", f"same unit as {asset_no}; counted once, there"
    )
