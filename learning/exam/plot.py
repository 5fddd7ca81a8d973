"""Bars with their intervals as SVG, written by hand: a picture needs no library here."""

from collections.abc import Mapping, Sequence
from html import escape

from learning.exam.scoring import Share

_WIDTH, _LEFT, _RIGHT = 760, 150, 96
_BAR, _GAP, _TOP = 16, 12, 56
_COLOURS = ("#4a6fa5", "#c8793b", "#5b8c5a", "#8a5a94", "#7a7a7a")
_SCALE = _WIDTH - _LEFT - _RIGHT


def svg(title: str, shares: Mapping[str, Mapping[str, Share]]) -> str:
    """Draw one bar for every measure of every series.

    Args:
        shares: series (a model, an adapter) → measure → share.
    """
    measures = list(dict.fromkeys(name for series in shares.values() for name in series))
    high = max(1, len(shares)) * _BAR + _GAP
    height = _TOP + high * len(measures) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="22" font-size="15" font-weight="bold">{escape(title)}</text>',
        *_legend(list(shares)), *_grid(height),
    ]  # fmt: skip
    for row, measure in enumerate(measures):
        top = _TOP + row * high
        middle = top + (high - _GAP) / 2 + 4
        parts.append(f'<text x="{_LEFT - 8}" y="{middle}" text-anchor="end">{escape(measure)}</text>')
        for place, series in enumerate(shares.values()):
            if measure in series:
                parts += _bar(series[measure], top + place * _BAR, _COLOURS[place % len(_COLOURS)])
    return "\n".join([*parts, "</svg>"]) + "\n"


def _legend(names: Sequence[str]) -> list[str]:
    found, x = [], 12
    for place, name in enumerate(names):
        colour = _COLOURS[place % len(_COLOURS)]
        found.append(f'<rect x="{x}" y="32" width="10" height="10" fill="{colour}"/>')
        found.append(f'<text x="{x + 15}" y="41">{escape(name)}</text>')
        x += 40 + 7 * len(name)
    return found


def _grid(height: int) -> list[str]:
    found = []
    for percent in range(0, 101, 20):
        x = _LEFT + _SCALE * percent / 100
        found.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 4}" y2="{height - 26}" stroke="#dddddd"/>')
        found.append(f'<text x="{x:.1f}" y="{height - 10}" text-anchor="middle" fill="#666666">{percent}%</text>')
    return found


def _bar(share: Share, top: float, colour: str) -> list[str]:
    middle = top + (_BAR - 4) / 2
    low, high = _LEFT + _SCALE * share.low, _LEFT + _SCALE * share.high
    wide = _SCALE * share.share
    return [
        f'<rect x="{_LEFT}" y="{top:.1f}" width="{wide:.1f}" height="{_BAR - 4}" fill="{colour}" fill-opacity="0.75"/>',
        f'<path d="M{low:.1f} {middle - 4:.1f}v8M{low:.1f} {middle:.1f}H{high:.1f}M{high:.1f} {middle - 4:.1f}v8" '
        'stroke="#222222" fill="none"/>',
        f'<text x="{_WIDTH - _RIGHT + 8}" y="{middle + 4:.1f}" fill="#333333">{share.share:.0%} (n {share.n})</text>',
    ]
