"""The pictures of a card, as SVG that needs no library to draw or to show."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import ceil
from typing import NamedTuple

INK, LINE, GRID, BLUE = "#222222", "#bbbbbb", "#e4e4e4", "#2463a6"
SHOWN_FEATURES = 15
# Told apart by shape, too: colours are not seen alike by everybody, and paper has none.
SERIES = ((BLUE, "circle"), ("#b35900", "square"), ("#5f6b76", "diamond"))
# Longer names, of a segment say, are cut.
MOST_LETTERS = 34


class Bin(NamedTuple):
    """Rows of like scores: the rate that these said, and the one that came, with its interval."""

    expected: float
    observed: float
    low: float
    high: float


class Point(NamedTuple):
    """A share and its 95 % interval, of one series; no value where it is not measured."""

    series: str
    value: float | None
    low: float | None
    high: float | None


def calibration_picture(bins: Sequence[Bin], title: str, source: str) -> str:
    """Observed rate by expected rate, 0 to 1, with 95 % intervals; sound scores lie on the line."""
    size, left, top = 320, 60, 50

    def across(rate: float) -> float:
        return left + size * rate

    def down(rate: float) -> float:
        return top + size * (1 - rate)

    drawn = [_line(across(0), down(0), across(1), down(1), LINE, dashes="5 4")]
    for tenth in range(0, 11, 2):
        rate = tenth / 10
        drawn += [
            _line(across(rate), down(0), across(rate), down(0) + 5, INK),
            _line(across(0) - 5, down(rate), across(0), down(rate), INK),
            _text(across(rate), down(0) + 20, f"{rate:.1f}", "middle"),
            _text(across(0) - 10, down(rate) + 4, f"{rate:.1f}", "end"),
        ]
    drawn += [
        _line(across(0), down(0), across(1), down(0), INK),
        _line(across(0), down(0), across(0), down(1), INK),
    ]
    for found in bins:
        place = across(found.expected)
        drawn += [
            _line(place, down(found.low), place, down(found.high), BLUE),
            f'<circle cx="{place:.1f}" cy="{down(found.observed):.1f}" r="4" fill="{BLUE}"/>',
        ]
    drawn += [
        _text(10, 20, title, "start", is_bold=True),
        _text(10, 38, f"{source}: observed rate, with its 95 % interval", "start"),
        _text(across(0.5), down(0) + 40, "expected rate (mean score)", "middle"),
    ]
    return _picture(left + size + 40, top + size + 55, title, drawn)


def importance_picture(means: Sequence[tuple[str, float]], title: str, unit: str) -> str:
    """A bar for each feature, the largest first; the features after the 15th are left out."""
    shown = sorted(means, key=lambda mean: (-mean[1], mean[0]))[:SHOWN_FEATURES]
    largest = max((value for _, value in shown), default=0.0) or 1.0
    left, top, step, width = 210, 50, 22, 300
    drawn = [_text(10, 20, title, "start", is_bold=True), _text(10, 38, unit, "start")]
    for place, (feature, value) in enumerate(shown):
        at = top + place * step
        long = width * value / largest
        drawn += [
            _text(left - 8, at + 14, feature, "end"),
            f'<rect x="{left}" y="{at + 3}" width="{long:.1f}" height="{step - 7}" fill="{BLUE}"/>',
            _text(left + long + 6, at + 14, f"{value:.3f}", "start"),
        ]
    return _picture(left + width + 60, top + step * len(shown) + 10, title, drawn)


def interval_picture(groups: Sequence[tuple[str, Sequence[Point]]], title: str, source: str) -> str:
    """Shares with their intervals: a row for each group, in it a mark for each series.

    A point without a value is left out, and what lies beyond 0 and 1 is cut off. The scale ends at
    the fifth of 1 that all of them lie below.
    """
    names = list(dict.fromkeys(point.series for _, points in groups for point in points))
    places = {name: place for place, name in enumerate(names)}
    left, top, width, apart = 260, 78, 340, 13
    step = apart * len(names) + 12
    bottom = top + step * len(groups)

    ends = [end for _, points in groups for each in points for end in (each.value, each.high)]
    fifths = max((ceil(5 * min(end, 1.0)) for end in ends if end is not None), default=5)
    limit = max(fifths, 1) / 5

    def across(share: float) -> float:
        return left + width * min(max(share, 0.0), limit) / limit

    drawn = [
        _text(10, 20, title, "start", is_bold=True),
        _text(10, 38, f"{source}, with its 95 % interval", "start"),
    ]
    at = 16.0
    for name in names:
        colour, shape = SERIES[places[name] % len(SERIES)]
        drawn += [_mark(at, 56, colour, shape), _text(at + 9, 60, name, "start")]
        at += 34 + 7 * len(name)
    for fifth in range(6):
        share = limit * fifth / 5
        drawn += [
            _line(across(share), top, across(share), bottom, GRID),
            _text(across(share), bottom + 18, f"{share:.2f}", "middle"),
        ]
    for place, (group, points) in enumerate(groups):
        start = top + step * place
        middle = start + step / 2
        drawn.append(_text(left - 10, middle + 4, _cut(group), "end"))
        if place:
            drawn.append(_line(left, start, left + width, start, GRID))
        for point in points:
            if point.value is None:
                continue
            colour, shape = SERIES[places[point.series] % len(SERIES)]
            down = middle + apart * (places[point.series] - (len(names) - 1) / 2)
            if point.low is not None and point.high is not None:
                drawn.append(_line(across(point.low), down, across(point.high), down, colour))
            drawn.append(_mark(across(point.value), down, colour, shape))
    drawn.append(_line(left, bottom, left + width, bottom, INK))
    return _picture(left + width + 30, bottom + 30, title, drawn)


def _mark(x: float, y: float, colour: str, shape: str) -> str:
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
    turned = f' transform="rotate(45 {x:.1f} {y:.1f})"' if shape == "diamond" else ""
    return (
        f'<rect x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7" fill="{colour}"{turned}/>'
    )


def _cut(name: str) -> str:
    return name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS - 1]}…"


def _picture(width: int, height: int, title: str, drawn: Sequence[str]) -> str:
    body = "\n".join(drawn)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" font-family="sans-serif" font-size="12">\n'
        f'<title>{_shown(title)}</title>\n<rect width="100%" height="100%" fill="#ffffff"/>\n'
        f"{body}\n</svg>\n"
    )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, dashes: str = "none") -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="1.5" stroke-dasharray="{dashes}"/>'
    )


def _text(x: float, y: float, text: str, anchor: str, *, is_bold: bool = False) -> str:
    weight = ' font-weight="bold" font-size="13"' if is_bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{INK}"{weight}>'
        f"{_shown(text)}</text>"
    )


def _shown(text: str) -> str:
    return escape("".join(sign for sign in text if sign.isprintable()))
