"""Charts as SVG, written by hand: docs/bench.svg for the README, docs/growth.svg for how cost grows."""

from __future__ import annotations

import math
from html import escape
from typing import Final

from benchmarks.growth import Curve
from benchmarks.results import TITLES, Line, number

COLOURS: Final = {
    "hf-tools": "#0b6e4f", "httpx": "#8a8f98", "huggingface_hub": "#e3a008", "openai": "#4f6bed",
    "langchain-huggingface": "#e3a008", "langchain-openai": "#4f6bed",
}  # fmt: skip
SHOWN: Final = (
    "import of the client", "classification, sync", "chat, sync", "chat, async", "chat stream, 20,000 chunks",
    "chat model, invoke", "chat model, stream of 500 chunks", "chat model, tool call in 2,000 pieces",
)  # fmt: skip
WIDE, LEFT, BAR = 760, 250, 14
PANEL, HIGH, EDGE = 380, 230, 46


def text(x: float, y: float, words: str, anchor: str = "start", size: int = 12, colour: str = "#24292f") -> str:
    """Some words."""
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"'
    return f'<text {place} fill="{colour}">{escape(words)}</text>'


def picture(width: float, height: float, parts: list[str]) -> str:
    """The whole file, on white: it is shown on dark pages as well."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" font-family="sans-serif">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="#ffffff"/>', *parts, "</svg>", ""])


def bars(found: list[Line], about: str) -> str:
    """For some rows a bar for each client: its cost in times of bare httpx."""
    chosen = [line for line in found if line.row.title in SHOWN]
    longest = max((one.middle for line in chosen for one in line.figures.values()), default=1.0)
    scale, y = (WIDE - LEFT - 190) / longest, 58.0
    parts = [text(16, 24, "CPU in times of bare httpx: shorter is better", size=15), text(16, 42, about, size=11)]
    for line in chosen:
        parts.append(text(LEFT - 10, y + BAR * len(line.figures) / 2 + 4, line.row.title, "end"))
        for subject, figure in line.figures.items():
            title, length = TITLES[subject], figure.middle * scale
            rect = f'<rect x="{LEFT}" y="{y:.1f}" width="{length:.1f}" height="{BAR - 2}" fill="{COLOURS[title]}"/>'
            label = f"{number(figure.middle)}  {title}"
            parts += [rect, text(LEFT + length + 6, y + BAR - 4, label, size=11)]
            y += BAR
        y += 12
    one = LEFT + scale
    axis = f'<line x1="{one:.1f}" y1="52" x2="{one:.1f}" y2="{y:.1f}" stroke="#24292f" stroke-dasharray="3 3"/>'
    return picture(WIDE, y + 8, [*parts, axis])


def curves(found: list[Curve]) -> str:
    """A panel for each curve, two in a row."""
    parts: list[str] = []
    for place, curve in enumerate(found):
        x, y = (place % 2) * PANEL, (place // 2) * HIGH
        parts.append(f'<g transform="translate({x} {y})">\n{panel(curve)}\n</g>')
    return picture(2 * PANEL, math.ceil(len(found) / 2) * HIGH, parts)


def panel(curve: Curve) -> str:
    """One curve: sizes on a logarithmic axis, costs on one that begins at 0."""
    points = [point for line in curve.lines.values() for point in line]
    low, high = (math.log10(pick(size for size, _ in points)) for pick in (min, max))
    most = max(cost for _, cost in points) * 1.1

    def across(size: float) -> float:
        return EDGE + (math.log10(size) - low) / ((high - low) or 1) * (PANEL - EDGE - 24)

    def down(cost: float) -> float:
        return HIGH - EDGE - cost / most * (HIGH - EDGE - 44)

    parts = [text(EDGE, 20, f"{curve.title}, {curve.unit}", size=13)]
    parts.append(f'<path d="M{EDGE} 40V{HIGH - EDGE}H{PANEL - 20}" fill="none" stroke="#8a8f98"/>')
    sizes = sorted({size for size, _ in points})
    parts += [text(across(size), HIGH - EDGE + 16, f"{size:,}", "middle", 10) for size in sizes]
    parts += [text(EDGE - 4, down(cost) + 4, number(cost), "end", 10) for cost in (0.0, most / 2.2, most / 1.1)]
    parts.append(text((EDGE + PANEL) / 2, HIGH - EDGE + 32, curve.sizes, "middle", 11))
    for place, (subject, line) in enumerate(curve.lines.items()):
        colour, title = COLOURS[TITLES[subject]], TITLES[subject].replace("huggingface_", "")
        path = " ".join(f"{across(size):.1f},{down(cost):.1f}" for size, cost in line)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(text(EDGE + 8 + place * 84, 36, title, size=10, colour=colour))
    return "\n".join(parts)
