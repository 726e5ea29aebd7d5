"""``qulink rates --quarter`` and ``--year``: value of the last month, and mean of months."""

import json
from typing import TYPE_CHECKING, Any

import typer

from gateway.cli.city.rates.output import print_rates

if TYPE_CHECKING:
    from gateway.city.rates.comparing.spans import Span, SpanRates


def span_asked(quarter: str, year: str) -> "Span | None":
    """The span that is asked for; None: neither.

    Raises:
        MonthError: it is no quarter or year.
    """
    from gateway.city.rates.comparing import spans

    if quarter:
        return spans.quarter(quarter)
    return spans.year(year) if year else None


def print_span(found: "SpanRates", *, as_json: bool) -> None:
    """Print a span: its table is that of its last month."""
    if as_json:
        typer.echo(json.dumps(_json(found), ensure_ascii=False, indent=2))
        return
    from gateway.city.rates.reports.shown import shown_by

    last = found.last
    state = "" if found.is_over else " · 未结束或未最终 not over, or not final"
    typer.echo(f"{found.span.name} · 期末值 value of its last month {last.month}{state}")
    print_rates(last)
    write, means = shown_by(last.definition), found.means()
    months = ", ".join(month.month for month in found.months)
    if (city := means.get("city")) is None:
        typer.echo(f"各月平均 mean of months: — ({months})")
        return
    rate, count = city
    typer.echo(
        f"各月平均 mean of months: {write(rate)} % （{count} 个月 months of {months}；"
        "不是期末值 not the value of the span）"
    )
    if found.missing:
        typer.echo(f"没有数据的月份 months without figures: {', '.join(found.missing)}")


def _json(found: "SpanRates") -> dict[str, Any]:
    from gateway.city.rates.reports.export import table_json
    from gateway.city.rates.reports.shown import shown_by

    write = shown_by(found.last.definition)
    return {
        "span": found.span.name,
        "value_of": found.last.month,
        "is_over": found.is_over,
        "months": [one.month for one in found.months],
        "months_without_figures": list(found.missing),
        "mean_of_months": {
            key: {"percent": float(write(rate)), "months": count}
            for key, (rate, count) in found.means().items()
        },
        "table": table_json(found.last),
    }
