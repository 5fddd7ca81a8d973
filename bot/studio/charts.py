"""The curves of a night as ECharts options, quiet enough for dark and light alike."""

from collections.abc import Sequence
from typing import Any

from bot.studio.record import Curves

_INK, _GRID = "#8d8375", "rgba(141,131,117,.22)"
_WARM, _COOL = "#c0693f", "#4f7f8f"

Points = Sequence[tuple[int, float]]


def empty() -> list[dict[str, Any]]:
    """Three charts with nothing in them yet."""
    return of(Curves(), [])


def of(found: Curves, nights: Sequence[tuple[str, float]]) -> list[dict[str, Any]]:
    """Loss, perplexity and margin."""
    perplexity = _lines("Perplexity, validation", [("this night", found.perplexity, _WARM)])
    if len(nights) > 1:
        perplexity = _nightly(nights)
    third = _lines("Margin of the better line", [("margin", found.margin, _COOL)]) if found.margin else _lines(
        "Preferences", [("loss", found.preference, _COOL)])  # fmt: skip
    loss = _lines("Loss", [("training", found.loss, _WARM), ("validation", found.validation, _COOL)])
    return [loss, perplexity, third]


def _lines(title: str, series: Sequence[tuple[str, Points, str]]) -> dict[str, Any]:
    drawn = [
        {"name": name, "type": "line", "showSymbol": len(points) < 20, "symbolSize": 5,
         "data": [list(point) for point in points], "lineStyle": {"width": 2, "color": colour},
         "itemStyle": {"color": colour}}
        for name, points, colour in series
    ]  # fmt: skip
    known = any(points for _, points, _ in series)
    head = title if known else f"{title}: nothing measured"
    return {**_frame(head), "xAxis": _axis("value", "step"), "series": drawn}


def _nightly(nights: Sequence[tuple[str, float]]) -> dict[str, Any]:
    drawn = {"name": "perplexity", "type": "line", "symbolSize": 6, "data": [value for _, value in nights],
             "lineStyle": {"width": 2, "color": _WARM}, "itemStyle": {"color": _WARM}}  # fmt: skip
    axis = {**_axis("category", ""), "data": [day for day, _ in nights]}
    return {**_frame("Perplexity, night by night"), "xAxis": axis, "series": [drawn]}


def _frame(title: str) -> dict[str, Any]:
    style = {"fontSize": 12.5, "fontWeight": 600, "color": _INK}
    return {
        "title": {"text": title, "left": 4, "top": 2, "textStyle": style},
        "grid": {"left": 46, "right": 14, "top": 34, "bottom": 30}, "animation": False,
        "tooltip": {"trigger": "axis", "confine": True}, "yAxis": {**_axis("value", ""), "scale": True},
    }  # fmt: skip


def _axis(kind: str, name: str) -> dict[str, Any]:
    return {
        "type": kind, "name": name, "nameLocation": "middle", "nameGap": 18, "nameTextStyle": {"color": _INK},
        "axisLabel": {"color": _INK, "fontSize": 10.5}, "axisLine": {"lineStyle": {"color": _GRID}},
        "splitLine": {"lineStyle": {"color": _GRID}, "show": kind == "value" and not name},
    }  # fmt: skip
