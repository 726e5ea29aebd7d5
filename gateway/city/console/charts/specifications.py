"""Charts as Vega-Lite specifications. Pure; colours are the style sheet's variables.

One specification serves the pictures of the first paint and the interactive chart. What does not
depend on the data is built once: that costs a hundred times more than filling in the data. Times
are shifted to Asia/Shanghai and drawn as UTC, so that every reader sees the city's clock.
"""

from typing import Any, Literal

import altair as alt

Spec = dict[str, Any]
Shape = Literal["wide", "narrow", "wall", "interactive"]
PICTURES: tuple[Shape, ...] = ("wide", "narrow")
"""Shapes that are drawn here: for a desktop and for a phone."""

FONT = "'PingFang SC','Microsoft YaHei','Noto Sans CJK SC',system-ui,sans-serif"
FILL: tuple[Any, Any] = ("container", "container")


def finish(chart: "alt.LayerChart | alt.FacetChart", size: tuple[Any, Any]) -> Spec:
    """A chart of this size in the style of the pages, as a specification."""
    width, height = size
    text = {"labelColor": "var(--ink-3)", "titleColor": "var(--ink-3)", "labelFontSize": 11}
    quiet = {"gridColor": "var(--line)", "domainColor": "var(--line-strong)"}
    spec: Spec = (
        chart.properties(width=width, height=height, background="transparent")
        .configure(font=FONT)
        .configure_view(stroke=None)
        .configure_axis(**text, **quiet, tickColor="var(--line-strong)", titleFontWeight="normal")
        .configure_axisX(grid=False)
        .configure_axisY(
            tickCount=6, domain=False, ticks=False, titleAngle=0, titleAlign="left", titleY=-10
        )
        .to_dict()
    )
    spec["autosize"] = {"type": "fit" if size == FILL else "pad", "contains": "padding"}
    return spec
