"""The two pictures of a card, as SVG that needs no library to draw or to show."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

INK, LINE, BLUE = "#222222", "#bbbbbb", "#2463a6"
SHOWN_FEATURES = 15


class Bin(NamedTuple):
    """Rows of like scores: the rate that these said, and the one that came, with its interval."""

    expected: float
    observed: float
    low: float
    high: float


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
