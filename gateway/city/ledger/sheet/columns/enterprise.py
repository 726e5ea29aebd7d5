"""The columns of the table of enterprises. Pure."""

from gateway.city.ledger.codes import COUNTIES, FUNCTIONAL_AREAS, Name
from gateway.city.ledger.sheet.amounts import people, revenue
from gateway.city.ledger.sheet.columns.column import USCC, VALID_FROM, YES_NO, Column
from gateway.city.ledger.sheet.values import (
    choice,
    county,
    day,
    industry,
    past_day,
    prefix_part,
    prose,
    rosters,
    yes_no,
)

ENTERPRISE = (
    USCC,
    Column(
        "name",
        Name("企业名称", "Enterprise name"),
        prose(200),
        Name("营业执照上的名称", "as on the business licence"),
        required=True,
    ),
    Column(
        "county",
        Name("县（市、区）", "County"),
        county,
        Name("经营所在地，GB/T 2260", "where it operates, GB/T 2260"),
        required=True,
        choices=COUNTIES,
    ),
    Column(
        "industry",
        Name("行业代码", "Industry"),
        industry,
        Name("GB/T 4754-2017 小类，4 位数字", "GB/T 4754-2017 class, four digits"),
        required=True,
    ),
    Column(
        "functional_area",
        Name("功能区", "Functional area"),
        choice(FUNCTIONAL_AREAS, "functional area"),
        Name("不在功能区则留空", "empty if in none"),
        choices=FUNCTIONAL_AREAS,
    ),
    Column(
        "above_scale",
        Name("规上", "Above scale"),
        yes_no,
        Name("是否规模以上工业企业", "whether an industrial enterprise above designated size"),
        required=True,
        choices=YES_NO,
    ),
    Column(
        "employees",
        Name("从业人员（人）", "Employees"),
        people,
        Name(
            "年末从业人员；与营业收入一起划分大中小微型",
            "at the end of the year; with the revenue it decides the size class",
        ),
    ),
    Column(
        "revenue_wan",
        Name("营业收入（万元）", "Revenue (10,000 yuan)"),
        revenue,
        Name("全年营业收入，单位万元", "of a whole year, in 10,000 yuan"),
    ),
    Column(
        "ledger_verified_by",
        Name("台账核实人", "Ledger verified by"),
        prose(100),
        Name("与核实日期同时填写", "together with the date"),
    ),
    Column(
        "ledger_verified_on",
        Name("台账核实日期", "Ledger verified on"),
        past_day,
        Name("未核实的企业不进入重点企业联网率", "without it the headline rate leaves it out"),
    ),
    Column(
        "identifier_code",
        Name("标识企业代码", "Identifier code"),
        prefix_part,
        Name("标识前缀中的企业部分，由二级节点分配", "enterprise part of its identifier prefix"),
    ),
    Column(
        "roster",
        Name("名录", "Roster"),
        rosters,
        Name(
            "重点工业企业填 KEY，多个用分号隔开；留空不改变原有名录",
            "KEY for key enterprises, several with semicolons; empty changes nothing",
        ),
    ),
    Column(
        "roster_from",
        Name("名录起始日期", "Roster from"),
        day,
        Name("首次列入时必填", "required when it joins"),
    ),
    Column(
        "roster_to",
        Name("名录终止日期", "Roster to"),
        day,
        Name("退出名录的第一天", "first day outside"),
    ),
    Column(
        "roster_approved_by",
        Name("名录批准人", "Roster approved by"),
        prose(100),
        Name("批准文件或批准人", "who approved it"),
    ),
    VALID_FROM,
)
